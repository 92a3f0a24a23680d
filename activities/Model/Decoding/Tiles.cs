using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Alt.Activities.Model.Decoding;

/// <summary>Products of eight rows and one panel, the sums held in registers. Wide vectors need all 32 of AVX-512; narrower ones take fewer rows at a time.</summary>
internal static unsafe class Tiles
{
    /// <summary>Columns of a panel.</summary>
    public const int Width = 48;

    /// <param name="rows">Eight rows (8, K).</param>
    /// <param name="stride">From one row to the next.</param>
    /// <param name="panel">(K, Width)</param>
    /// <param name="tile">(8, Width)</param>
    public static void Multiply(float* rows, nint stride, float* panel, nint inputs, float* tile)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Multiply512(rows, stride, panel, inputs, tile);
            return;
        }

        for (var row = 0; row < PackedMatrix.RowsTogether; row++)
        {
            Multiply256(rows + row * stride, panel, inputs, tile + row * Width);
        }
    }

    private static void Multiply512(float* rows, nint stride, float* panel, nint inputs, float* tile)
    {
        float* r0 = rows, r1 = r0 + stride, r2 = r1 + stride, r3 = r2 + stride, r4 = r3 + stride, r5 = r4 + stride, r6 = r5 + stride, r7 = r6 + stride;
        Vector512<float> a0 = default, b0 = default, c0 = default;
        Vector512<float> a1 = default, b1 = default, c1 = default;
        Vector512<float> a2 = default, b2 = default, c2 = default;
        Vector512<float> a3 = default, b3 = default, c3 = default;
        Vector512<float> a4 = default, b4 = default, c4 = default;
        Vector512<float> a5 = default, b5 = default, c5 = default;
        Vector512<float> a6 = default, b6 = default, c6 = default;
        Vector512<float> a7 = default, b7 = default, c7 = default;
        for (nint k = 0; k < inputs; k++, panel += Width)
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

        Store(a0, b0, c0, tile + 0 * Width);
        Store(a1, b1, c1, tile + 1 * Width);
        Store(a2, b2, c2, tile + 2 * Width);
        Store(a3, b3, c3, tile + 3 * Width);
        Store(a4, b4, c4, tile + 4 * Width);
        Store(a5, b5, c5, tile + 5 * Width);
        Store(a6, b6, c6, tile + 6 * Width);
        Store(a7, b7, c7, tile + 7 * Width);
    }

    internal static void Multiply256(float* row, float* panel, nint inputs, float* tile)
    {
        Vector256<float> a = default, b = default, c = default, d = default, e = default, f = default;
        for (nint k = 0; k < inputs; k++, panel += Width)
        {
            var x = Vector256.Create(row[k]);
            a = Vector256.FusedMultiplyAdd(x, Vector256.Load(panel), a);
            b = Vector256.FusedMultiplyAdd(x, Vector256.Load(panel + 8), b);
            c = Vector256.FusedMultiplyAdd(x, Vector256.Load(panel + 16), c);
            d = Vector256.FusedMultiplyAdd(x, Vector256.Load(panel + 24), d);
            e = Vector256.FusedMultiplyAdd(x, Vector256.Load(panel + 32), e);
            f = Vector256.FusedMultiplyAdd(x, Vector256.Load(panel + 40), f);
        }

        a.Store(tile);
        b.Store(tile + 8);
        c.Store(tile + 16);
        d.Store(tile + 24);
        e.Store(tile + 32);
        f.Store(tile + 40);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float x, Vector512<float> a, Vector512<float> b, Vector512<float> c, ref Vector512<float> sumA, ref Vector512<float> sumB, ref Vector512<float> sumC)
    {
        var row = Vector512.Create(x);
        sumA = Vector512.FusedMultiplyAdd(row, a, sumA);
        sumB = Vector512.FusedMultiplyAdd(row, b, sumB);
        sumC = Vector512.FusedMultiplyAdd(row, c, sumC);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> a, Vector512<float> b, Vector512<float> c, float* row)
    {
        a.Store(row);
        b.Store(row + 16);
        c.Store(row + 32);
    }
}
