using Temporalio.Common;

namespace Temporalio.Workflows;

/// <summary>Sets or removes one search attribute of the current workflow. Made by <see cref="SearchAttributeKey{T}.ValueSet"/>.</summary>
public abstract class SearchAttributeUpdate
{
    private protected SearchAttributeUpdate(SearchAttributeKey key, object? value, bool hasValue) =>
        (UntypedKey, UntypedValue, HasValue) = (key, value, hasValue);

    /// <summary>Key of the attribute.</summary>
    public SearchAttributeKey UntypedKey { get; }

    /// <summary>New value; null where the attribute is removed.</summary>
    public object? UntypedValue { get; }

    /// <summary>Whether this sets a value; if not, it removes the attribute.</summary>
    public bool HasValue { get; }
}

/// <summary>Sets or removes one search attribute of the current workflow.</summary>
/// <typeparam name="T">.NET type of the value.</typeparam>
public class SearchAttributeUpdate<T> : SearchAttributeUpdate
    where T : notnull
{
    internal SearchAttributeUpdate(SearchAttributeKey<T> key, T? value, bool hasValue)
        : base(key, value, hasValue) => Key = key;

    /// <summary>Key of the attribute.</summary>
    public SearchAttributeKey<T> Key { get; }

    /// <summary>New value.</summary>
    /// <exception cref="InvalidOperationException">The update removes the attribute.</exception>
    public T Value => HasValue ? (T)UntypedValue! : throw new InvalidOperationException("The update holds no value");
}
