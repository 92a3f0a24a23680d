using System.Globalization;
using TorchSharp.PInvoke;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>The element types of tensors, numbered as in libtorch.</summary>
    public enum ScalarType : sbyte
    {
        Byte = 0,
        Int8 = 1,
        Int16 = 2,
        Int32 = 3,
        Int64 = 4,
        Float16 = 5,
        Float32 = 6,
        Float64 = 7,
        Bool = 11,
        BFloat16 = 15,
    }

    public const ScalarType uint8 = ScalarType.Byte;
    public const ScalarType int8 = ScalarType.Int8;
    public const ScalarType int16 = ScalarType.Int16;
    public const ScalarType int32 = ScalarType.Int32;
    public const ScalarType int64 = ScalarType.Int64;
    public const ScalarType float16 = ScalarType.Float16;
    public const ScalarType float32 = ScalarType.Float32;
    public const ScalarType float64 = ScalarType.Float64;
    public const ScalarType bfloat16 = ScalarType.BFloat16;
    public const ScalarType @bool = ScalarType.Bool;

    /// <summary>The processor.</summary>
    public static readonly Device CPU = new(DeviceType.CPU, -1);

    /// <summary>The first GPU.</summary>
    public static readonly Device CUDA = new(DeviceType.CUDA, 0);

    /// <summary>No memory: tensors have a shape, a type and a device, and no values.</summary>
    public static readonly Device META = new(DeviceType.META, -1);

    /// <summary>The device of that name: <c>cpu</c>, <c>cuda</c> or <c>cuda:1</c>.</summary>
    /// <exception cref="FormatException">There is no such device type.</exception>
    public static Device device(string description)
    {
        var parts = description.Split(':');
        return parts switch
        {
            ["cpu"] => CPU,
            ["cuda"] => CUDA,
            ["cuda", var index] => new(DeviceType.CUDA, int.Parse(index, CultureInfo.InvariantCulture)),
            _ => throw new FormatException($"'{description}' is no device, expected cpu, cuda or cuda:N"),
        };
    }

    /// <summary>Where a tensor's data lives.</summary>
    public sealed class Device(DeviceType type, int index)
    {
        public DeviceType type { get; } = type;

        /// <summary>-1 where there is but one.</summary>
        public int index { get; } = index;

        public override string ToString() => index < 0 ? type.ToString().ToLowerInvariant() : $"cuda:{index}";
    }

    public static class cuda
    {
        /// <summary>Whether this libtorch has CUDA and finds a GPU.</summary>
        public static bool is_available() => NativeMethods.alt_cuda_is_available() != 0;
    }
}
