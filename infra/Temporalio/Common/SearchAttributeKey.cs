using Temporalio.Api.Enums.V1;
using Temporalio.Workflows;

namespace Temporalio.Common;

/// <summary>Name and type of a search attribute.</summary>
public abstract record SearchAttributeKey
{
    private protected SearchAttributeKey(string name, IndexedValueType valueType) => (Name, ValueType) = (name, valueType);

    /// <summary>Name as registered in the namespace.</summary>
    public string Name { get; }

    /// <summary>Type as registered in the namespace.</summary>
    public IndexedValueType ValueType { get; }

    /// <summary>A key for text that is split into words.</summary>
    public static SearchAttributeKey<string> CreateText(string name) => new(name, IndexedValueType.Text);

    /// <summary>A key for text that is matched as a whole.</summary>
    public static SearchAttributeKey<string> CreateKeyword(string name) => new(name, IndexedValueType.Keyword);

    /// <summary>A key for whole numbers.</summary>
    public static SearchAttributeKey<long> CreateLong(string name) => new(name, IndexedValueType.Int);

    /// <summary>A key for floating-point numbers.</summary>
    public static SearchAttributeKey<double> CreateDouble(string name) => new(name, IndexedValueType.Double);

    /// <summary>A key for truth values.</summary>
    public static SearchAttributeKey<bool> CreateBool(string name) => new(name, IndexedValueType.Bool);

    /// <summary>A key for points in time.</summary>
    public static SearchAttributeKey<DateTimeOffset> CreateDateTimeOffset(string name) => new(name, IndexedValueType.Datetime);

    /// <summary>A key for several keywords.</summary>
    public static SearchAttributeKey<IReadOnlyCollection<string>> CreateKeywordList(string name) => new(name, IndexedValueType.KeywordList);
}

/// <summary>Name and type of a search attribute.</summary>
/// <typeparam name="T">.NET type of the value.</typeparam>
public record SearchAttributeKey<T> : SearchAttributeKey
    where T : notnull
{
    internal SearchAttributeKey(string name, IndexedValueType valueType)
        : base(name, valueType)
    {
    }

    /// <summary>An update for <see cref="Workflow.UpsertTypedSearchAttributes"/> that sets this attribute.</summary>
    public SearchAttributeUpdate<T> ValueSet(T value) => new(this, value, hasValue: true);

    /// <summary>An update for <see cref="Workflow.UpsertTypedSearchAttributes"/> that removes this attribute.</summary>
    public SearchAttributeUpdate<T> ValueUnset() => new(this, default, hasValue: false);
}
