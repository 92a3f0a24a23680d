using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Alt.Model.Products;

internal static class TensorParts
{
    private const long Elements = 1 << 24;

    /// <summary>The memory of a contiguous tensor in single precision on the processor, at most 2 GiB.</summary>
    public static Span<float> Floats(this Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    /// <summary>The elements of a contiguous tensor in row order, as views that each are small enough for a span.</summary>
    public static IEnumerable<Tensor> Parts(this Tensor tensor)
    {
        var all = tensor.NumberOfElements;
        using var flat = tensor.view(all);
        for (var start = 0L; start < all; start += Elements)
        {
            using var part = flat.narrow(0, start, Math.Min(Elements, all - start));
            yield return part;
        }
    }
}
