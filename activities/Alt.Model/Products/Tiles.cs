using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Alt.Model.Products;

/// <summary>
/// Products of at most eight rows and one panel, the sums held in registers: all 32 of AVX-512, or where vectors are narrower the sixteen
/// of AVX, four rows and half a panel at a time.
/// </summary>
/// <remarks>
/// A number of the product is the sum over k in ascending order, by fused multiply-add, whatever the width of the vectors is.
/// </remarks>
internal static unsafe class Tiles
{
    /// <summary>Rows that are multiplied together.</summary>
    public const int Height = 8;

    /// <summary>Columns of a panel.</summary>
    public const int Width = 48;

    private const int Lanes = 16;

    /// <summary>Multiplies rows by a panel.</summary>
    /// <param name="rows">The first row's first number.</param>
    /// <param name="stride">From one row to the next.</param>
    /// <param name="step">From one number of a row to the next.</param>
    /// <param name="count">How many rows there are, 1 to <see cref="Height"/>.</param>
    /// <param name="panel">(K, <see cref="Width"/>)</param>
    /// <param name="result">(count, width)</param>
    /// <param name="resultStride">From one row of the result to the next.</param>
    /// <param name="width">How many of the panel's columns there are, 1 to <see cref="Width"/>.</param>
    /// <param name="add">Whether the sums begin with what the result holds; else they begin with 0.</param>
    public static void Multiply(
        float* rows, nint stride, nint step, int count, float* panel, nint inputs, float* result, nint resultStride, int width, bool add)
    {
        if (count == Height && width == Width)
        {
            MultiplyVectors(rows, stride, step, count, panel, inputs, result, resultStride, Width / Lanes, add);
            return;
        }

        // What lies beyond the result is computed beside it.
        var tile = stackalloc float[Height * Width];
        if (add)
        {
            for (var row = 0; row < count; row++)
            {
                Copy(result + row * resultStride, tile + row * Width, width);
            }
        }

        MultiplyVectors(rows, stride, step, count, panel, inputs, tile, Width, (width + Lanes - 1) / Lanes, add);
        for (var row = 0; row < count; row++)
        {
            Copy(tile + row * Width, result + row * resultStride, width);
        }
    }

    // Of as many columns as so many vectors of sixteen have.
    private static void MultiplyVectors(
        float* rows, nint stride, nint step, int count, float* panel, nint inputs, float* result, nint resultStride, int vectors, bool add)
    {
        if (!Vector512.IsHardwareAccelerated)
        {
            for (var row = 0; row < count; row += 4)
            {
                for (var column = 0; column < vectors * Lanes; column += Width / 2)
                {
                    Multiply256(
                        rows + row * stride, stride, step, Math.Min(4, count - row), panel + column, inputs,
                        result + row * resultStride + column, resultStride, add);
                }
            }
        }
        else if (vectors == 3)
        {
            MultiplyWide(rows, stride, step, count, panel, inputs, result, resultStride, add);
        }
        else
        {
            for (var vector = 0; vector < vectors; vector++)
            {
                MultiplyNarrow(rows, stride, step, count, panel + vector * Lanes, inputs, result + vector * Lanes, resultStride, add);
            }
        }
    }

    // 8 rows, 48 columns. Missing rows repeat the last one.
    private static void MultiplyWide(
        float* rows, nint stride, nint step, int count, float* panel, nint inputs, float* result, nint resultStride, bool add)
    {
        var last = count - 1;
        float* r0 = rows, r1 = rows + Math.Min(1, last) * stride, r2 = rows + Math.Min(2, last) * stride,
            r3 = rows + Math.Min(3, last) * stride;
        float* r4 = rows + Math.Min(4, last) * stride, r5 = rows + Math.Min(5, last) * stride, r6 = rows + Math.Min(6, last) * stride,
            r7 = rows + Math.Min(7, last) * stride;
        Vector512<float> a0 = default, b0 = default, c0 = default;
        Vector512<float> a1 = default, b1 = default, c1 = default;
        Vector512<float> a2 = default, b2 = default, c2 = default;
        Vector512<float> a3 = default, b3 = default, c3 = default;
        Vector512<float> a4 = default, b4 = default, c4 = default;
        Vector512<float> a5 = default, b5 = default, c5 = default;
        Vector512<float> a6 = default, b6 = default, c6 = default;
        Vector512<float> a7 = default, b7 = default, c7 = default;
        if (add)
        {
            Load(result, out a0, out b0, out c0);
            Load(result + 1 * resultStride, out a1, out b1, out c1);
            Load(result + 2 * resultStride, out a2, out b2, out c2);
            Load(result + 3 * resultStride, out a3, out b3, out c3);
            Load(result + 4 * resultStride, out a4, out b4, out c4);
            Load(result + 5 * resultStride, out a5, out b5, out c5);
            Load(result + 6 * resultStride, out a6, out b6, out c6);
            Load(result + 7 * resultStride, out a7, out b7, out c7);
        }

        for (nint k = 0; k < inputs * step; k += step, panel += Width)
        {
            var (a, b, c) = (Vector512.Load(panel), Vector512.Load(panel + 16), Vector512.Load(panel + 32));
            Add(r0[k], a, b, c, ref a0, ref b0, ref c0);
            Add(r1[k], a, b, c, ref a1, ref b1, ref c1);
            Add(r2[k], a, b, c, ref a2, ref b2, ref c2);
            Add(r3[k], a, b, c, ref a3, ref b3, ref c3);
            Add(r4[k], a, b, c, ref a4, ref b4, ref c4);
            Add(r5[k], a, b, c, ref a5, ref b5, ref c5);
            Add(r6[k], a, b, c, ref a6, ref b6, ref c6);
            Add(r7[k], a, b, c, ref a7, ref b7, ref c7);
        }

        Store(a0, b0, c0, result);
        Store(a1, b1, c1, result + 1 * resultStride);
        Store(a2, b2, c2, result + 2 * resultStride);
        Store(a3, b3, c3, result + 3 * resultStride);
        Store(a4, b4, c4, result + 4 * resultStride);
        Store(a5, b5, c5, result + 5 * resultStride);
        Store(a6, b6, c6, result + 6 * resultStride);
        Store(a7, b7, c7, result + 7 * resultStride);
    }

    // 8 rows, 16 columns.
    private static void MultiplyNarrow(
        float* rows, nint stride, nint step, int count, float* panel, nint inputs, float* result, nint resultStride, bool add)
    {
        var last = count - 1;
        float* r0 = rows, r1 = rows + Math.Min(1, last) * stride, r2 = rows + Math.Min(2, last) * stride,
            r3 = rows + Math.Min(3, last) * stride;
        float* r4 = rows + Math.Min(4, last) * stride, r5 = rows + Math.Min(5, last) * stride, r6 = rows + Math.Min(6, last) * stride,
            r7 = rows + Math.Min(7, last) * stride;
        Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        if (add)
        {
            (s0, s1, s2, s3) = (
                Vector512.Load(result), Vector512.Load(result + resultStride), Vector512.Load(result + 2 * resultStride),
                Vector512.Load(result + 3 * resultStride));
            result += 4 * resultStride;
            (s4, s5, s6, s7) = (
                Vector512.Load(result), Vector512.Load(result + resultStride), Vector512.Load(result + 2 * resultStride),
                Vector512.Load(result + 3 * resultStride));
            result -= 4 * resultStride;
        }

        for (nint k = 0; k < inputs * step; k += step, panel += Width)
        {
            var a = Vector512.Load(panel);
            s0 = Vector512.FusedMultiplyAdd(Vector512.Create(r0[k]), a, s0);
            s1 = Vector512.FusedMultiplyAdd(Vector512.Create(r1[k]), a, s1);
            s2 = Vector512.FusedMultiplyAdd(Vector512.Create(r2[k]), a, s2);
            s3 = Vector512.FusedMultiplyAdd(Vector512.Create(r3[k]), a, s3);
            s4 = Vector512.FusedMultiplyAdd(Vector512.Create(r4[k]), a, s4);
            s5 = Vector512.FusedMultiplyAdd(Vector512.Create(r5[k]), a, s5);
            s6 = Vector512.FusedMultiplyAdd(Vector512.Create(r6[k]), a, s6);
            s7 = Vector512.FusedMultiplyAdd(Vector512.Create(r7[k]), a, s7);
        }

        s0.Store(result);
        s1.Store(result + 1 * resultStride);
        s2.Store(result + 2 * resultStride);
        s3.Store(result + 3 * resultStride);
        s4.Store(result + 4 * resultStride);
        s5.Store(result + 5 * resultStride);
        s6.Store(result + 6 * resultStride);
        s7.Store(result + 7 * resultStride);
    }

    /// <summary>At most 4 rows and 24 columns.</summary>
    internal static void Multiply256(
        float* rows, nint stride, nint step, int count, float* panel, nint inputs, float* result, nint resultStride, bool add)
    {
        var last = count - 1;
        float* r0 = rows, r1 = rows + Math.Min(1, last) * stride, r2 = rows + Math.Min(2, last) * stride,
            r3 = rows + Math.Min(3, last) * stride;
        Vector256<float> a0 = default, b0 = default, c0 = default;
        Vector256<float> a1 = default, b1 = default, c1 = default;
        Vector256<float> a2 = default, b2 = default, c2 = default;
        Vector256<float> a3 = default, b3 = default, c3 = default;
        if (add)
        {
            Load(result, out a0, out b0, out c0);
            Load(result + Math.Min(1, last) * resultStride, out a1, out b1, out c1);
            Load(result + Math.Min(2, last) * resultStride, out a2, out b2, out c2);
            Load(result + Math.Min(3, last) * resultStride, out a3, out b3, out c3);
        }

        for (nint k = 0; k < inputs * step; k += step, panel += Width)
        {
            var (a, b, c) = (Vector256.Load(panel), Vector256.Load(panel + 8), Vector256.Load(panel + 16));
            Add(r0[k], a, b, c, ref a0, ref b0, ref c0);
            Add(r1[k], a, b, c, ref a1, ref b1, ref c1);
            Add(r2[k], a, b, c, ref a2, ref b2, ref c2);
            Add(r3[k], a, b, c, ref a3, ref b3, ref c3);
        }

        // A missing row has the last one's sums, so that writing it there again changes nothing.
        Store(a0, b0, c0, result);
        Store(a1, b1, c1, result + Math.Min(1, last) * resultStride);
        Store(a2, b2, c2, result + Math.Min(2, last) * resultStride);
        Store(a3, b3, c3, result + Math.Min(3, last) * resultStride);
    }

    private static void Copy(float* source, float* target, int count) =>
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(target, count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(
        float x, Vector512<float> a, Vector512<float> b, Vector512<float> c, ref Vector512<float> sumA, ref Vector512<float> sumB,
        ref Vector512<float> sumC)
    {
        var row = Vector512.Create(x);
        sumA = Vector512.FusedMultiplyAdd(row, a, sumA);
        sumB = Vector512.FusedMultiplyAdd(row, b, sumB);
        sumC = Vector512.FusedMultiplyAdd(row, c, sumC);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(
        float x, Vector256<float> a, Vector256<float> b, Vector256<float> c, ref Vector256<float> sumA, ref Vector256<float> sumB,
        ref Vector256<float> sumC)
    {
        var row = Vector256.Create(x);
        sumA = Vector256.FusedMultiplyAdd(row, a, sumA);
        sumB = Vector256.FusedMultiplyAdd(row, b, sumB);
        sumC = Vector256.FusedMultiplyAdd(row, c, sumC);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load(float* row, out Vector512<float> a, out Vector512<float> b, out Vector512<float> c) =>
        (a, b, c) = (Vector512.Load(row), Vector512.Load(row + 16), Vector512.Load(row + 32));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load(float* row, out Vector256<float> a, out Vector256<float> b, out Vector256<float> c) =>
        (a, b, c) = (Vector256.Load(row), Vector256.Load(row + 8), Vector256.Load(row + 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> a, Vector512<float> b, Vector512<float> c, float* row)
    {
        a.Store(row);
        b.Store(row + 16);
        c.Store(row + 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> a, Vector256<float> b, Vector256<float> c, float* row)
    {
        a.Store(row);
        b.Store(row + 8);
        c.Store(row + 16);
    }
}
