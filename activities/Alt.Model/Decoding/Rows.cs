using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Alt.Model.Decoding;

/// <summary>Rows of single-precision numbers in a tensor's memory on the processor, where kernels read and write them.</summary>
/// <param name="Start">Aligned to a cache line.</param>
/// <param name="Width">Numbers per row.</param>
internal readonly unsafe record struct Rows(nint Start, int Width)
{
    /// <summary>The rows of a contiguous tensor; they live as long as it does.</summary>
    public static Rows Of(Tensor tensor) =>
        new((nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes)), checked((int)tensor.shape[^1]));

    public float* this[int row] => (float*)Start + (long)row * Width;

    public Span<float> Span(int row) => new(this[row], Width);
}
