using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Alt.Model.Products;

/// <summary>
/// What is done to one row at a time. Sums are split by sixteen lanes on every machine, so that they are the same on every machine.
/// </summary>
internal static class RowKernels
{
    private static int Lanes => Vector512<float>.Count;

    public static float Sum(ReadOnlySpan<float> x)
    {
        var sums = Vector512<float>.Zero;
        var i = 0;
        for (; i <= x.Length - Lanes; i += Lanes)
        {
            sums += At(x, i);
        }

        var sum = Vector512.Sum(sums);
        for (; i < x.Length; i++)
        {
            sum += x[i];
        }

        return sum;
    }

    public static float SumOfSquares(ReadOnlySpan<float> x, float mean)
    {
        var (sums, means) = (Vector512<float>.Zero, Vector512.Create(mean));
        var i = 0;
        for (; i <= x.Length - Lanes; i += Lanes)
        {
            var difference = At(x, i) - means;
            sums = Vector512.FusedMultiplyAdd(difference, difference, sums);
        }

        var sum = Vector512.Sum(sums);
        for (; i < x.Length; i++)
        {
            sum += (x[i] - mean) * (x[i] - mean);
        }

        return sum;
    }

    /// <summary><c>(x - mean) * scale * weight + bias</c></summary>
    public static void Normalise(
        ReadOnlySpan<float> x, float mean, float scale, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, Span<float> result)
    {
        var i = 0;
        for (; i <= x.Length - Lanes; i += Lanes)
        {
            var value = (At(x, i) - Vector512.Create(mean)) * scale * At(weight, i);
            (bias.IsEmpty ? value : value + At(bias, i)).StoreUnsafe(ref result[i]);
        }

        for (; i < x.Length; i++)
        {
            result[i] = (x[i] - mean) * scale * weight[i] + (bias.IsEmpty ? 0 : bias[i]);
        }
    }

    /// <summary><c>gate = silu(gate) * up</c></summary>
    public static void Gate(Span<float> gate, ReadOnlySpan<float> up)
    {
        var i = 0;
        for (; i <= gate.Length - Lanes; i += Lanes)
        {
            (VectorMath.Silu(At(gate, i)) * At(up, i)).StoreUnsafe(ref gate[i]);
        }

        for (; i < gate.Length; i++)
        {
            gate[i] = gate[i] / (1 + MathF.Exp(-gate[i])) * up[i];
        }
    }

    /// <summary>Turns pairs of elements of a head by their angles.</summary>
    /// <param name="head">(D)</param>
    /// <param name="cosines">(r / 2)</param>
    public static void Turn(Span<float> head, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines, bool interleaved)
    {
        for (var i = 0; i < cosines.Length; i++)
        {
            ref var a = ref head[interleaved ? 2 * i : i];
            ref var b = ref head[interleaved ? 2 * i + 1 : i + cosines.Length];
            (a, b) = (a * cosines[i] - b * sines[i], b * cosines[i] + a * sines[i]);
        }
    }

    /// <summary><c>target += source</c></summary>
    public static void Add(ReadOnlySpan<float> source, Span<float> target)
    {
        var i = 0;
        for (; i <= target.Length - Lanes; i += Lanes)
        {
            (At(source, i) + At(target, i)).StoreUnsafe(ref target[i]);
        }

        for (; i < target.Length; i++)
        {
            target[i] += source[i];
        }
    }

    /// <summary><c>x *= scale</c></summary>
    public static void Scale(Span<float> x, float scale)
    {
        var i = 0;
        for (; i <= x.Length - Lanes; i += Lanes)
        {
            (At(x, i) * scale).StoreUnsafe(ref x[i]);
        }

        for (; i < x.Length; i++)
        {
            x[i] *= scale;
        }
    }

    /// <summary>From the gradient of a softmax's weights to that of what was scaled and then turned into them, in its place.</summary>
    /// <param name="weights">A multiple of the lanes long.</param>
    /// <param name="gradient">As long; 0 where the weight is.</param>
    public static void SoftmaxSlope(ReadOnlySpan<float> weights, Span<float> gradient, float scale)
    {
        var sums = Vector512<float>.Zero;
        for (var i = 0; i < weights.Length; i += Lanes)
        {
            sums = Vector512.FusedMultiplyAdd(At(weights, i), At(gradient, i), sums);
        }

        var mean = Vector512.Create(Vector512.Sum(sums));
        for (var i = 0; i < weights.Length; i += Lanes)
        {
            ((At(gradient, i) - mean) * At(weights, i) * scale).StoreUnsafe(ref gradient[i]);
        }
    }

    /// <summary>Turns scores into weights whose sum is 1.</summary>
    /// <param name="scores">
    /// Their number is a multiple of the lanes; those beyond <paramref name="count"/> are ignored and become 0.
    /// </param>
    public static void Softmax(Span<float> scores, int count)
    {
        scores[count..].Fill(float.NegativeInfinity);
        var maxima = At(scores, 0);
        for (var i = Lanes; i < scores.Length; i += Lanes)
        {
            maxima = Vector512.Max(maxima, At(scores, i));
        }

        var maximum = VectorMath.Max(maxima);
        var sums = Vector512<float>.Zero;
        for (var i = 0; i < scores.Length; i += Lanes)
        {
            var values = VectorMath.Exp(At(scores, i) - Vector512.Create(maximum));
            values.StoreUnsafe(ref scores[i]);
            sums += values;
        }

        var inverse = 1 / Vector512.Sum(sums);
        for (var i = 0; i < scores.Length; i += Lanes)
        {
            (At(scores, i) * inverse).StoreUnsafe(ref scores[i]);
        }
    }

    /// <summary>bfloat16 to single precision.</summary>
    /// <param name="result">At least as long.</param>
    public static void Widen(ReadOnlySpan<ushort> x, Span<float> result)
    {
        var i = 0;
        for (; i <= x.Length - Lanes; i += Lanes)
        {
            Widen(Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(x), (nuint)i)).StoreUnsafe(ref result[i]);
        }

        for (; i < x.Length; i++)
        {
            result[i] = Widen(x[i]);
        }
    }

    /// <summary>bfloat16 to single precision.</summary>
    public static float Widen(ushort x) => BitConverter.UInt32BitsToSingle((uint)x << 16);

    /// <summary>bfloat16 to single precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector256<ushort> x) => (Vector512.WidenLower(x.ToVector512Unsafe()) << 16).AsSingle();

    /// <summary>Single precision to the nearest bfloat16, of two equally near ones to the even.</summary>
    public static void Narrow(ReadOnlySpan<float> x, Span<ushort> result)
    {
        var i = 0;
        for (; i <= x.Length - 2 * Lanes; i += 2 * Lanes)
        {
            Vector512.Narrow(Rounded(At(x, i)), Rounded(At(x, i + Lanes))).StoreUnsafe(ref result[i]);
        }

        for (; i < x.Length; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(x[i]);
            result[i] = (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }

        static Vector512<uint> Rounded(Vector512<float> x)
        {
            var bits = x.AsUInt32();
            return (bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One)) >> 16;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> At(ReadOnlySpan<float> x, int i) => Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(x), (nuint)i);
}
