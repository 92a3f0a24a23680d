using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>The element types of safetensors files.</summary>
internal static class SafetensorsTypes
{
    private static readonly (string Name, ScalarType Type, long Size)[] All =
    [
        ("F64", float64, 8), ("F32", float32, 4), ("F16", float16, 2), ("BF16", bfloat16, 2),
        ("I64", int64, 8), ("I32", int32, 4), ("I16", int16, 2), ("I8", int8, 1), ("U8", uint8, 1), ("BOOL", @bool, 1),
    ];

    /// <exception cref="FormatException">No tensor of libtorch has that type.</exception>
    public static ScalarType Parse(string name)
    {
        var found = Array.FindIndex(All, type => type.Name == name);
        return found >= 0 ? All[found].Type : throw new FormatException($"no support for elements of type {name}");
    }

    public static string Name(ScalarType type) => All.First(known => known.Type == type).Name;

    public static long Size(ScalarType type) => All.First(known => known.Type == type).Size;
}
