using TorchSharp.PInvoke;

namespace TorchSharp;

/// <summary>A number of whatever type, as operators take it.</summary>
public sealed class Scalar
{
    private Scalar(Argument argument) => Argument = argument;

    internal Argument Argument { get; }

    public static implicit operator Scalar(int value) => new(value);
    public static implicit operator Scalar(long value) => new(value);
    public static implicit operator Scalar(float value) => new((double)value);
    public static implicit operator Scalar(double value) => new(value);
    public static implicit operator Scalar(bool value) => new(value);
}
