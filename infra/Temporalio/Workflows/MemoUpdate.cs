namespace Temporalio.Workflows;

/// <summary>Sets or removes one memo value of the current workflow.</summary>
public abstract class MemoUpdate
{
    private protected MemoUpdate(string key, object? value, bool hasValue) => (UntypedKey, UntypedValue, HasValue) = (key, value, hasValue);

    /// <summary>Key of the memo value.</summary>
    public string UntypedKey { get; }

    /// <summary>New value.</summary>
    public object? UntypedValue { get; }

    /// <summary>Whether this sets a value; if not, it removes the key.</summary>
    public bool HasValue { get; }

    /// <summary>An update that sets a value.</summary>
    public static MemoUpdate ValueSet(string key, object value) => new Untyped(key, value, true);

    /// <summary>An update that removes a key.</summary>
    public static MemoUpdate ValueUnset(string key) => new Untyped(key, null, false);

    private sealed class Untyped(string key, object? value, bool hasValue) : MemoUpdate(key, value, hasValue);
}
