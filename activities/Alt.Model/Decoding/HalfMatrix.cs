using System.Runtime.InteropServices;
using Alt.Model.Network;
using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Decoding;

/// <summary>
/// A weight matrix in bfloat16, multiplied by libtorch's oneDNN: its bfloat16 instructions, which .NET does not have, do twice what single
/// precision can. Each worker multiplies slices of the outputs on its own thread.
/// </summary>
/// <remarks>
/// The slices do not depend on the number of cores, and so neither does the product. Another number of rows may round differently.
/// </remarks>
internal sealed unsafe class HalfMatrix : DecodingMatrix
{
    // Wide enough for oneDNN, narrow enough that even a small matrix is shared out.
    private const int WidestSlice = 768;
    private const int Lanes = 16;

    private readonly Tensor[] _slices;      // (K, at most WidestSlice) each
    private readonly int _width;

    /// <param name="weight">(N, K) in bfloat16.</param>
    /// <param name="bias">(N)</param>
    public HalfMatrix(Tensor weight, Tensor? bias)
        : base(checked((int)weight.shape[1]), checked((int)weight.shape[0]), Padded(bias, Width(weight) * Count(weight)))
    {
        using var scope = NewDisposeScope();
        _width = Width(weight);
        _slices = [.. Enumerable.Range(0, Count(weight)).Select(Slice)];

        Tensor Slice(int slice) =>
            weight.detach().narrow(0, slice * _width, Math.Min(_width, Outputs - slice * _width)).contiguous().t().DetachFromDisposeScope();
    }

    public override void Multiply(WorkerTeam team, Rows rows, int count, Rows result, Epilogue epilogue)
    {
        // OpenMP keeps the number of threads per thread.
        ModelThreads.Apply();
        using var scope = NewDisposeScope();
        Tensor? x = null;
        Span<float> piece = stackalloc float[_width];
        while (team.Take(_slices.Length, out var slice))
        {
            x ??= Half(rows, count);
            var product = x.mm(_slices[slice]);             // (R, width)
            var width = (int)product.shape[1];
            var values = MemoryMarshal.Cast<byte, ushort>(product.bytes);
            for (var row = 0; row < count; row++)
            {
                var padded = piece[..((width + Lanes - 1) / Lanes * Lanes)];
                padded[width..].Clear();
                RowKernels.Widen(values.Slice(row * width, width), padded);
                Finish(padded, slice * _width, new Span<float>(result[row] + slice * _width, width), epilogue);
            }
        }
    }

    public override void Dispose()
    {
        foreach (var slice in _slices)
        {
            slice.Dispose();
        }
    }

    private static int Count(Tensor weight) => (int)((weight.shape[0] + Width(weight) - 1) / Width(weight));

    // For an even number of slices: most machines have an even number of cores.
    private static int Width(Tensor weight)
    {
        var slices = 2 * (int)Math.Ceiling(weight.shape[0] / (2.0 * WidestSlice));
        var width = (int)((weight.shape[0] + slices - 1) / slices);
        return (width + Lanes - 1) / Lanes * Lanes;
    }

    private Tensor Half(Rows rows, int count)
    {
        var x = empty([count, Inputs], bfloat16);
        var values = MemoryMarshal.Cast<byte, ushort>(x.bytes);
        for (var row = 0; row < count; row++)
        {
            RowKernels.Narrow(rows.Span(row)[..Inputs], values.Slice(row * Inputs, Inputs));
        }

        return x;
    }
}
