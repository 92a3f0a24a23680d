using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Alt.Model.Products;

/// <summary>Copies pieces of matrices in the order in which <see cref="Tiles"/> reads them.</summary>
internal static unsafe class Packing
{
    // Numbers in a line of the caches.
    private const int CacheLine = 16;

    // Rows of a panel that are fetched before they are copied.
    private const int RowsAhead = 16;

    // Numbers per row that are transposed before the next rows: what is read and written of them fits a core's first cache.
    private const int Transposed = 64;

    /// <summary>Columns of a matrix to a panel (K, <see cref="Tiles.Width"/>), with zeros for missing columns.</summary>
    public static void Panel(in Matrix source, int firstRow, int rows, int column, float* panel)
    {
        var columns = Math.Min(Tiles.Width, source.Columns - column);
        if (columns < Tiles.Width)
        {
            new Span<float>(panel, rows * Tiles.Width).Clear();
        }

        if (source.ColumnStride == 1)
        {
            for (var k = 0; k < rows; k++)
            {
                if (k < rows - RowsAhead)
                {
                    Fetch(source[firstRow + k + RowsAhead, column], columns);
                }

                new ReadOnlySpan<float>(source[firstRow + k, column], columns).CopyTo(new Span<float>(panel + k * Tiles.Width, columns));
            }

            return;
        }

        for (var k = 0; k < rows; k += Transposed)
        {
            var length = Math.Min(Transposed, rows - k);
            for (var j = 0; j < columns; j += 8)
            {
                Transpose(
                    source[firstRow + k, column + j], source.ColumnStride, Math.Min(8, columns - j), length, panel + k * Tiles.Width + j);
            }
        }
    }

    /// <summary>
    /// Rows of a matrix whose columns are contiguous to tiles (rows / <see cref="Tiles.Height"/>, K, <see cref="Tiles.Height"/>).
    /// </summary>
    public static void Rows(in Matrix source, int firstRow, int rows, int firstColumn, int columns, float* tiles)
    {
        for (var k = 0; k < columns; k++)
        {
            var column = source[firstRow, firstColumn + k];
            var target = tiles + k * Tiles.Height;
            var row = 0;
            for (; row <= rows - Tiles.Height; row += Tiles.Height, target += (long)columns * Tiles.Height)
            {
                Vector256.Load(column + row).Store(target);
            }

            for (var i = 0; row + i < rows; i++)
            {
                target[i] = column[row + i];
            }
        }
    }

    // Into a core's first cache. Rows of a large matrix lie in pages of their own, so that the processor does not see which one comes next.
    private static void Fetch(float* row, int columns)
    {
        if (Sse.IsSupported)
        {
            for (var column = 0; column < columns; column += CacheLine)
            {
                Sse.Prefetch0(row + column);
            }

            Sse.Prefetch0(row + columns - 1);
        }
    }

    // At most eight rows of some length to columns of a panel.
    private static void Transpose(float* rows, long stride, int count, int length, float* target)
    {
        var k = 0;
        if (count == 8 && Avx.IsSupported)
        {
            for (; k <= length - 8; k += 8)
            {
                Transpose4(rows + k, stride, target + k * Tiles.Width);
                Transpose4(rows + k + 4, stride, target + (k + 4) * Tiles.Width);
            }
        }

        for (; k < length; k++)
        {
            for (var row = 0; row < count; row++)
            {
                target[k * Tiles.Width + row] = rows[row * stride + k];
            }
        }
    }

    // Four numbers of eight rows.
    private static void Transpose4(float* rows, long stride, float* target)
    {
        var r0 = Vector256.Create(Vector128.Load(rows), Vector128.Load(rows + 4 * stride));
        var r1 = Vector256.Create(Vector128.Load(rows + stride), Vector128.Load(rows + 5 * stride));
        var r2 = Vector256.Create(Vector128.Load(rows + 2 * stride), Vector128.Load(rows + 6 * stride));
        var r3 = Vector256.Create(Vector128.Load(rows + 3 * stride), Vector128.Load(rows + 7 * stride));
        var (low01, high01, low23, high23) = (Avx.UnpackLow(r0, r1), Avx.UnpackHigh(r0, r1), Avx.UnpackLow(r2, r3), Avx.UnpackHigh(r2, r3));
        Avx.Shuffle(low01, low23, 0b01_00_01_00).Store(target);
        Avx.Shuffle(low01, low23, 0b11_10_11_10).Store(target + Tiles.Width);
        Avx.Shuffle(high01, high23, 0b01_00_01_00).Store(target + 2 * Tiles.Width);
        Avx.Shuffle(high01, high23, 0b11_10_11_10).Store(target + 3 * Tiles.Width);
    }
}
