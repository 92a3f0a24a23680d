using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Decoding;

/// <summary>An embedding's rows, read where the model holds them.</summary>
internal sealed class EmbeddingRows : IDisposable
{
    // A tensor's memory is one span only up to two gigabytes.
    private const long LargestPart = 1L << 30;

    private readonly Tensor[] _parts;
    private readonly nint[] _starts;
    private readonly int _width, _rowsPerPart;
    private readonly bool _half;

    /// <param name="weight">(V, C)</param>
    public EmbeddingRows(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var kept = PackedBlock.Kept(weight.detach());
        (_half, _width) = (kept.dtype == bfloat16, (int)kept.shape[1]);
        var rows = kept.shape[0];
        _rowsPerPart = (int)Math.Min(rows, Math.Max(1, LargestPart / (_width * kept.ElementSize)));
        _parts = [.. Enumerable.Range(0, (int)((rows + _rowsPerPart - 1) / _rowsPerPart))
            .Select(part => kept.narrow(0, (long)part * _rowsPerPart, Math.Min(_rowsPerPart, rows - (long)part * _rowsPerPart))
                .DetachFromDisposeScope())];
        _starts = [.. _parts.Select(part => Rows.Of(part).Start)];
    }

    /// <param name="result">(C)</param>
    public void Read(int row, Span<float> result)
    {
        if (_half)
        {
            RowKernels.Widen(Row<ushort>(row), result);
        }
        else
        {
            Row<float>(row).CopyTo(result);
        }
    }

    /// <summary>Adds a row to the existing values.</summary>
    public void Add(int row, Span<float> result)
    {
        if (_half)
        {
            var source = Row<ushort>(row);
            for (var i = 0; i < result.Length; i++)
            {
                result[i] += RowKernels.Widen(source[i]);
            }
        }
        else
        {
            RowKernels.Add(Row<float>(row), result);
        }
    }

    public void Dispose()
    {
        foreach (var part in _parts)
        {
            part.Dispose();
        }
    }

    private unsafe ReadOnlySpan<T> Row<T>(int row)
        where T : unmanaged => new((T*)_starts[row / _rowsPerPart] + (long)(row % _rowsPerPart) * _width, _width);
}
