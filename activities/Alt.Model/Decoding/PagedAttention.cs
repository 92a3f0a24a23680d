using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Alt.Model.Products;

namespace Alt.Model.Decoding;

/// <summary>
/// One head's attention from one query to the blocks of a <see cref="PagedCache"/>. A block's keys lie by element, so that a vector holds
/// one element of all its positions and no sum crosses a vector; its values lie by position. Elements are single precision, or bfloat16 as
/// <see cref="ushort"/>.
/// </summary>
internal static unsafe class PagedAttention
{
    private const int Positions = PagedCache.BlockPositions;

    /// <summary>Scores of a block's positions.</summary>
    /// <param name="query">(D)</param>
    /// <param name="keys">(D, S)</param>
    /// <param name="scores">(S)</param>
    public static void Scores<T>(float* query, T* keys, int headWidth, float scale, float* scores)
        where T : unmanaged
    {
        // Four sums, since each waits for its last addition.
        Vector512<float> a = default, b = default, c = default, d = default;
        var i = 0;
        for (; i <= headWidth - 4; i += 4, keys += 4 * Positions)
        {
            a = Vector512.FusedMultiplyAdd(Vector512.Create(query[i]), Read(keys), a);
            b = Vector512.FusedMultiplyAdd(Vector512.Create(query[i + 1]), Read(keys + Positions), b);
            c = Vector512.FusedMultiplyAdd(Vector512.Create(query[i + 2]), Read(keys + 2 * Positions), c);
            d = Vector512.FusedMultiplyAdd(Vector512.Create(query[i + 3]), Read(keys + 3 * Positions), d);
        }

        for (; i < headWidth; i++, keys += Positions)
        {
            a = Vector512.FusedMultiplyAdd(Vector512.Create(query[i]), Read(keys), a);
        }

        ((a + b + (c + d)) * scale).Store(scores);
    }

    /// <summary>Adds a block's values, weighted, to the result.</summary>
    /// <param name="weights">(count)</param>
    /// <param name="values">(S, D)</param>
    /// <param name="count">How many of the block's positions there are.</param>
    /// <param name="result">(D)</param>
    public static void AddValues<T>(float* weights, T* values, int count, int headWidth, float* result)
        where T : unmanaged
    {
        var i = 0;
        for (; i <= headWidth - 4 * Positions; i += 4 * Positions)
        {
            var (a, b, c, d) = (
                Vector512.Load(result + i), Vector512.Load(result + i + 16), Vector512.Load(result + i + 32),
                Vector512.Load(result + i + 48));
            var value = values + i;
            for (var t = 0; t < count; t++, value += headWidth)
            {
                var weight = Vector512.Create(weights[t]);
                a = Vector512.FusedMultiplyAdd(weight, Read(value), a);
                b = Vector512.FusedMultiplyAdd(weight, Read(value + 16), b);
                c = Vector512.FusedMultiplyAdd(weight, Read(value + 32), c);
                d = Vector512.FusedMultiplyAdd(weight, Read(value + 48), d);
            }

            a.Store(result + i);
            b.Store(result + i + 16);
            c.Store(result + i + 32);
            d.Store(result + i + 48);
        }

        for (; i <= headWidth - 16; i += 16)
        {
            var a = Vector512.Load(result + i);
            for (var t = 0; t < count; t++)
            {
                a = Vector512.FusedMultiplyAdd(Vector512.Create(weights[t]), Read(values + t * headWidth + i), a);
            }

            a.Store(result + i);
        }

        for (; i < headWidth; i++)
        {
            for (var t = 0; t < count; t++)
            {
                result[i] = MathF.FusedMultiplyAdd(weights[t], ReadOne(values + t * headWidth + i), result[i]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Read<T>(T* elements)
        where T : unmanaged =>
            typeof(T) == typeof(float) ? Vector512.Load((float*)elements) : RowKernels.Widen(Vector256.Load((ushort*)elements));

    private static float ReadOne<T>(T* element)
        where T : unmanaged => typeof(T) == typeof(float) ? *(float*)element : RowKernels.Widen(*(ushort*)element);
}
