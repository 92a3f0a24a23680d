using System.Diagnostics.CodeAnalysis;
using Temporalio.Api.Common.V1;
using Temporalio.Workflows;

namespace Temporalio.Common;

/// <summary>Search attributes by key.</summary>
public class SearchAttributeCollection
{
    private readonly Dictionary<SearchAttributeKey, object> values;

    private SearchAttributeCollection(Dictionary<SearchAttributeKey, object> values) => this.values = values;

    /// <summary>The collection without attributes.</summary>
    public static SearchAttributeCollection Empty { get; } = new([]);

    /// <summary>How many attributes there are.</summary>
    public int Count => values.Count;

    /// <summary>The attributes as key and value.</summary>
    public IReadOnlyDictionary<SearchAttributeKey, object> UntypedValues => values;

    /// <summary>Whether the attribute is set.</summary>
    public bool ContainsKey(SearchAttributeKey key) => values.ContainsKey(key);

    /// <summary>Value of an attribute.</summary>
    /// <exception cref="KeyNotFoundException">The attribute is not set.</exception>
    public T Get<T>(SearchAttributeKey<T> key)
        where T : notnull => (T)values[key];

    /// <summary>Reads an attribute if it is set.</summary>
    /// <returns>Whether it is set.</returns>
    public bool TryGetValue<T>(SearchAttributeKey<T> key, [MaybeNullWhen(false)] out T value)
        where T : notnull
    {
        var found = values.TryGetValue(key, out var untyped);
        value = found ? (T)untyped! : default;
        return found;
    }

    /// <summary>Reads the wire form.</summary>
    internal static SearchAttributeCollection FromProto(SearchAttributes? proto)
    {
        var values = new Dictionary<SearchAttributeKey, object>();
        foreach (var (name, payload) in proto?.IndexedFields.ToDictionary() ?? [])
        {
            if (SearchAttributePayload.FromPayload(name, payload) is { } attribute)
            {
                values[attribute.Key] = attribute.Value;
            }
        }
        return new(values);
    }

    /// <summary>Writes the wire form.</summary>
    internal SearchAttributes ToProto()
    {
        var proto = new SearchAttributes();
        foreach (var (key, value) in values)
        {
            proto.IndexedFields[key.Name] = SearchAttributePayload.ToPayload(key.ValueType, value);
        }
        return proto;
    }

    /// <summary>Changes this collection; for the one that a running workflow holds.</summary>
    internal void Apply(IEnumerable<SearchAttributeUpdate> updates)
    {
        foreach (var update in updates)
        {
            if (update.HasValue)
            {
                values[update.UntypedKey] = update.UntypedValue!;
            }
            else
            {
                values.Remove(update.UntypedKey);
            }
        }
    }

    /// <summary>Builds a collection.</summary>
    public class Builder
    {
        private readonly Dictionary<SearchAttributeKey, object> values = [];

        /// <summary>Sets an attribute.</summary>
        public Builder Set<T>(SearchAttributeKey<T> key, T value)
            where T : notnull
        {
            values[key] = value;
            return this;
        }

        /// <summary>Removes an attribute.</summary>
        public Builder Unset<T>(SearchAttributeKey<T> key)
            where T : notnull
        {
            values.Remove(key);
            return this;
        }

        /// <summary>The collection as built so far.</summary>
        public SearchAttributeCollection ToSearchAttributeCollection() => new(new(values));
    }
}
