namespace TorchSharp;

/// <summary>The value of a tensor of one element as a C# number.</summary>
public static class TensorExtensionMethods
{
    public static float ToSingle(this torch.Tensor value) => Item<float>(value, torch.float32);
    public static double ToDouble(this torch.Tensor value) => Item<double>(value, torch.float64);
    public static long ToInt64(this torch.Tensor value) => Item<long>(value, torch.int64);
    public static bool ToBoolean(this torch.Tensor value) => Item<bool>(value, torch.@bool);

    private static T Item<T>(torch.Tensor value, torch.ScalarType type)
        where T : unmanaged
    {
        using var converted = value.to(type);
        return converted.item<T>();
    }
}
