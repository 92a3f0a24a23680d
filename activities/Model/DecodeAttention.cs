using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Alt.Activities.Model;

/// <summary>Attention of one new token per sequence over the cached ones, in one pass over the cache's memory.</summary>
/// <param name="Heads">H</param>
/// <param name="Groups">G, heads of keys and values; each serves H / G heads that follow each other.</param>
/// <param name="HeadWidth">D</param>
/// <param name="Positions">P, the cache's room per sequence.</param>
internal readonly record struct DecodeAttention(int Heads, int Groups, int HeadWidth, int Positions)
{
    /// <summary>Writes the tokens' keys and values to their places in the cache and attends from their queries.</summary>
    /// <param name="qkv">(A, (H + 2G) D)</param>
    /// <param name="keys">(S, P, GD)</param>
    /// <param name="values">(S, P, GD)</param>
    /// <param name="slots">Each sequence's slot, and the position of its token.</param>
    /// <param name="part">Which of the A sequences to do.</param>
    /// <param name="result">(A, HD)</param>
    public void Run(ReadOnlySpan<float> qkv, Span<float> keys, Span<float> values, (int Slot, int Position)[] slots, Range part, Span<float> result)
    {
        var (width, keyWidth) = (Heads * HeadWidth, Groups * HeadWidth);
        var scale = 1 / MathF.Sqrt(HeadWidth);
        Span<float> scores = stackalloc float[Positions + Vector256<float>.Count];
        for (var a = part.Start.Value; a < part.End.Value; a++)
        {
            var (slot, position) = slots[a];
            var token = qkv.Slice(a * (width + 2 * keyWidth), width + 2 * keyWidth);
            var sequenceKeys = keys.Slice(slot * Positions * keyWidth, (position + 1) * keyWidth);
            var sequenceValues = values.Slice(slot * Positions * keyWidth, (position + 1) * keyWidth);
            token.Slice(width, keyWidth).CopyTo(sequenceKeys[(position * keyWidth)..]);
            token.Slice(width + keyWidth, keyWidth).CopyTo(sequenceValues[(position * keyWidth)..]);
            for (var head = 0; head < Heads; head++)
            {
                var shared = head / (Heads / Groups) * HeadWidth;
                var seen = scores[..(position + 1)];
                Scores(token.Slice(head * HeadWidth, HeadWidth), sequenceKeys[shared..], keyWidth, scale, seen);
                var total = Exponentials(scores, seen.Length);
                Mix(seen, 1 / total, sequenceValues[shared..], keyWidth, result.Slice(a * width + head * HeadWidth, HeadWidth));
            }
        }
    }

    private static void Scores(ReadOnlySpan<float> query, ReadOnlySpan<float> keys, int stride, float scale, Span<float> scores)
    {
        for (var t = 0; t < scores.Length; t++)
        {
            scores[t] = scale * Dot(query, keys.Slice(t * stride, query.Length));
        }
    }

    // Turns scores into exp(score - maximum) and gives their sum. The buffer has room for a whole last vector.
    private static float Exponentials(Span<float> scores, int count)
    {
        var maximum = float.NegativeInfinity;
        foreach (var score in scores[..count])
        {
            maximum = MathF.Max(maximum, score);
        }

        for (var t = 0; t < count; t += Vector256<float>.Count)
        {
            ref var at = ref scores[t];
            Vector256.Exp(Vector256.LoadUnsafe(ref at) - Vector256.Create(maximum)).StoreUnsafe(ref at);
        }

        var total = 0f;
        foreach (var weight in scores[..count])
        {
            total += weight;
        }

        return total;
    }

    private static void Mix(ReadOnlySpan<float> weights, float scale, ReadOnlySpan<float> values, int stride, Span<float> result)
    {
        result.Clear();
        for (var t = 0; t < weights.Length; t++)
        {
            AddScaled(weights[t] * scale, values.Slice(t * stride, result.Length), result);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        ref var l = ref MemoryMarshal.GetReference(left);
        ref var r = ref MemoryMarshal.GetReference(right);
        var sum = Vector256<float>.Zero;
        var i = 0;
        for (; i <= left.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            sum = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref l, (nuint)i), Vector256.LoadUnsafe(ref r, (nuint)i), sum);
        }

        var total = Vector256.Sum(sum);
        for (; i < left.Length; i++)
        {
            total += left[i] * right[i];
        }

        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled(float scale, ReadOnlySpan<float> source, Span<float> target)
    {
        ref var s = ref MemoryMarshal.GetReference(source);
        ref var t = ref MemoryMarshal.GetReference(target);
        var factor = Vector256.Create(scale);
        var i = 0;
        for (; i <= target.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256.FusedMultiplyAdd(factor, Vector256.LoadUnsafe(ref s, (nuint)i), Vector256.LoadUnsafe(ref t, (nuint)i)).StoreUnsafe(ref t, (nuint)i);
        }

        for (; i < target.Length; i++)
        {
            target[i] += scale * source[i];
        }
    }
}
