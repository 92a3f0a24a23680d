using Alt.Domain;
using static TorchSharp.torch;

namespace Alt.Model.Network;

/// <summary>The element types of files of tensors: what safetensors calls them, and the class of PyTorch that holds them.</summary>
internal static class ElementTypes
{
    private static readonly (string Name, string Storage, ScalarType Type, long Size)[] All =
    [
        ("F64", "DoubleStorage", float64, 8), ("F32", "FloatStorage", float32, 4), ("F16", "HalfStorage", float16, 2),
        ("BF16", "BFloat16Storage", bfloat16, 2),
        ("I64", "LongStorage", int64, 8), ("I32", "IntStorage", int32, 4), ("I16", "ShortStorage", int16, 2),
        ("I8", "CharStorage", int8, 1), ("U8", "ByteStorage", uint8, 1),
        ("BOOL", "BoolStorage", @bool, 1),
    ];

    /// <param name="name">As safetensors writes it.</param>
    /// <exception cref="FormatException">No tensor of libtorch has that type.</exception>
    public static ScalarType Parse(string name)
    {
        var found = Array.FindIndex(All, type => type.Name == name);
        return found >= 0 ? All[found].Type : throw new FormatException(
            $"no support for elements of type {InputException.Quote(name)}; expected {string.Join(", ", All.Select(type => type.Name))}");
    }

    /// <param name="storage">A class in Python's module torch.</param>
    public static ScalarType? OfStorage(string storage) =>
        Array.FindIndex(All, type => type.Storage == storage) is >= 0 and var found ? All[found].Type : null;

    public static string Name(ScalarType type) => All.First(known => known.Type == type).Name;

    public static long Size(ScalarType type) => All.First(known => known.Type == type).Size;
}
