using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Activities.Model.Decoding;

/// <summary>What happens to a product before it is written.</summary>
internal enum Epilogue
{
    Store,

    /// <summary>It is added to what is there.</summary>
    Add,

    GeluTanh,
    Gelu,
}

/// <summary>
/// A weight matrix cut into panels of a few columns, each a stream that a core reads from start to end while it multiplies a few rows by it.
/// OpenBLAS, which packs anew in every call, reaches half of the processor's speed where there are 32 rows; this nine tenths.
/// </summary>
/// <remarks>
/// A number of the product is the sum over k in ascending order, by fused multiply-add: it depends on its row and column alone, not on
/// the other rows, the threads or the width of the vectors. Axes: K inputs, N outputs.
/// </remarks>
internal sealed unsafe class PackedMatrix : IDisposable
{
    /// <summary>Rows that are multiplied together; buffers are a multiple of it long, and what is computed of the rest is not written.</summary>
    public const int RowsTogether = 8;

    // Beyond this a tensor's memory is no longer one span.
    private const long LargestPart = 1L << 30;

    private readonly List<Tensor> _parts = [];
    private readonly List<nint> _panels = [];
    private readonly float[] _bias;
    private readonly int _inputs, _outputs, _width;
    private readonly bool _half;

    /// <param name="weight">(N, K) in single precision or bfloat16; the latter is kept so, and multiplied in single precision.</param>
    /// <param name="bias">(N)</param>
    public PackedMatrix(Tensor weight, Tensor? bias)
    {
        (_outputs, _inputs) = (checked((int)weight.shape[0]), checked((int)weight.shape[1]));
        _half = weight.dtype == bfloat16;
        _width = _half ? Tiles.HalfWidth : Tiles.Width;
        var panels = (_outputs + _width - 1) / _width;
        _bias = new float[panels * _width];
        if (bias is not null)
        {
            using var scope = NewDisposeScope();
            MemoryMarshal.Cast<byte, float>(bias.detach().to(float32).cpu().contiguous().bytes).CopyTo(_bias);
        }

        var together = (int)Math.Max(1, LargestPart / ((long)_inputs * _width * weight.ElementSize));
        for (var first = 0; first < panels; first += together)
        {
            Pack(weight, first, Math.Min(together, panels - first));
        }
    }

    /// <summary>K</summary>
    public int Inputs => _inputs;

    /// <summary>N</summary>
    public int Outputs => _outputs;

    /// <summary>Multiplies rows (R, K) by the matrix; every worker of the team calls this, and waits after it.</summary>
    /// <param name="result">(R, N), or wider.</param>
    public void Multiply(WorkerTeam team, Rows rows, int count, Rows result, Epilogue epilogue)
    {
        var tile = stackalloc float[RowsTogether * Tiles.Width];
        while (team.Take(_panels.Count, out var panel))
        {
            var column = panel * _width;
            var width = Math.Min(_width, _outputs - column);
            for (var row = 0; row < count; row += RowsTogether)
            {
                if (_half)
                {
                    Tiles.MultiplyHalf(rows[row], rows.Width, (ushort*)_panels[panel], _inputs, tile);
                }
                else
                {
                    Tiles.Multiply(rows[row], rows.Width, (float*)_panels[panel], _inputs, tile);
                }

                for (var i = 0; i < Math.Min(RowsTogether, count - row); i++)
                {
                    var product = new Span<float>(tile + i * _width, _width);
                    Finish(product, _bias.AsSpan(column, _width), epilogue);
                    Write(product[..width], new Span<float>(result[row + i] + column, width), epilogue == Epilogue.Add);
                }
            }
        }
    }

    public void Dispose()
    {
        foreach (var part in _parts)
        {
            part.Dispose();
        }
    }

    private void Pack(Tensor weight, int first, int count)
    {
        using var scope = NewDisposeScope();
        long rows = Math.Min((long)count * _width, _outputs - (long)first * _width), K = _inputs;
        var padded = zeros([(long)count * _width, K], weight.dtype);
        padded.narrow(0, 0, rows).copy_(weight.detach().narrow(0, (long)first * _width, rows));
        // In bfloat16 the columns of one half stand beside those of the other: a shift or a mask makes single precision of either.
        var part = (_half
            ? padded.view(count, 2, _width / 2, K).permute(0, 3, 2, 1)
            : padded.view(count, _width, K).transpose(1, 2)).contiguous().DetachFromDisposeScope();
        _parts.Add(part);
        var start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(part.bytes));
        for (var panel = 0; panel < count; panel++)
        {
            _panels.Add(start + (nint)(panel * K * _width * weight.ElementSize));
        }
    }

    private static void Finish(Span<float> product, ReadOnlySpan<float> bias, Epilogue epilogue)
    {
        ref var p = ref MemoryMarshal.GetReference(product);
        ref var b = ref MemoryMarshal.GetReference(bias);
        for (nuint i = 0; i < (nuint)product.Length; i += (nuint)Vector512<float>.Count)
        {
            var sum = Vector512.LoadUnsafe(ref p, i) + Vector512.LoadUnsafe(ref b, i);
            sum = epilogue switch
            {
                Epilogue.GeluTanh => VectorMath.GeluTanh(sum),
                Epilogue.Gelu => VectorMath.Gelu(sum),
                _ => sum,
            };
            sum.StoreUnsafe(ref p, i);
        }
    }

    private static void Write(ReadOnlySpan<float> product, Span<float> result, bool add)
    {
        if (!add)
        {
            product.CopyTo(result);
            return;
        }

        ref var p = ref MemoryMarshal.GetReference(product);
        ref var r = ref MemoryMarshal.GetReference(result);
        var i = 0;
        for (; i <= product.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            (Vector512.LoadUnsafe(ref p, (nuint)i) + Vector512.LoadUnsafe(ref r, (nuint)i)).StoreUnsafe(ref r, (nuint)i);
        }

        for (; i < product.Length; i++)
        {
            result[i] += product[i];
        }
    }
}
