namespace TorchSharp.PInvoke;

/// <summary>One argument of an operator on its way to the native library: whatever C# value an operator takes converts to it.</summary>
internal readonly struct Argument
{
    private Argument(ArgumentKind kind, object? reference = null, long integer = 0, double number = 0)
    {
        Kind = kind;
        Reference = reference;
        Integer = integer;
        Number = number;
    }

    internal ArgumentKind Kind { get; }
    internal object? Reference { get; }
    internal long Integer { get; }
    internal double Number { get; }

    /// <summary>How many 8-byte words of scratch memory the list takes.</summary>
    internal int Words => Reference switch
    {
        long[] integers => integers.Length,
        IList<torch.Tensor> tensors => tensors.Count,
        string text => (text.Length + 7) / 8,
        _ => 0,
    };

    public static implicit operator Argument(torch.Tensor? value) => value is null ? default : new(ArgumentKind.Tensor, value);
    public static implicit operator Argument(long value) => new(ArgumentKind.Int, integer: value);
    public static implicit operator Argument(int value) => new(ArgumentKind.Int, integer: value);
    public static implicit operator Argument(double value) => new(ArgumentKind.Double, number: value);
    public static implicit operator Argument(bool value) => new(ArgumentKind.Bool, integer: value ? 1 : 0);
    public static implicit operator Argument(long[] value) => new(ArgumentKind.IntList, value);
    public static implicit operator Argument(string value) => new(ArgumentKind.String, value);
    public static implicit operator Argument(Scalar value) => value.Argument;
    public static implicit operator Argument(torch.ScalarType value) => (long)value;
    public static implicit operator Argument(torch.ScalarType? value) => value is { } type ? (long)type : default(Argument);
    public static implicit operator Argument(torch.Device? value) =>
        value is null ? default : new(ArgumentKind.Device, integer: (long)(int)value.type << 32 | (uint)value.index);

    /// <summary>A list of tensors; an interface cannot have a conversion.</summary>
    internal static Argument List(IList<torch.Tensor> tensors) => new(ArgumentKind.TensorList, tensors);
}
