using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Alt.Model.Products;

/// <summary>A matrix in a tensor's memory on the processor, in single precision; it lives as long as the tensor does.</summary>
/// <param name="Start">Where its first number is.</param>
/// <param name="RowStride">Numbers from one row to the next. This or the other stride is 1.</param>
/// <param name="ColumnStride">Numbers from one column to the next.</param>
internal readonly unsafe record struct Matrix(nint Start, int Rows, int Columns, long RowStride, long ColumnStride)
{
    /// <summary>The rows of a contiguous tensor (R, C).</summary>
    public static Matrix Of(Tensor tensor)
    {
        // One row alone, since a tensor of more than two gigabytes is no span.
        using var row = tensor.select(0, 0);
        var start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(row.bytes));
        return new Matrix(start, checked((int)tensor.shape[0]), checked((int)tensor.shape[1]), tensor.shape[1], 1);
    }

    /// <summary>Rows as columns.</summary>
    public Matrix Transposed => new(Start, Columns, Rows, ColumnStride, RowStride);

    public float* this[long row, long column] => (float*)Start + row * RowStride + column * ColumnStride;
}
