namespace Alt.Domain;

/// <summary>
/// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
/// It has no state: a <see cref="RandomKey"/> and a position give the number, in any order and any number of times.
/// </summary>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;

    /// <summary>A number in [0, 1) with 53 random bits.</summary>
    public static double Uniform(in RandomKey key, uint position) => ToUnit(Block(key, position).First);

    /// <summary>A number from the standard normal distribution (Box-Muller). Positions 2i and 2i + 1 share one block.</summary>
    public static double Normal(in RandomKey key, uint position)
    {
        var (first, second) = NormalPair(key, position / 2);
        return position % 2 == 0 ? first : second;
    }

    /// <summary>Fills a span with what <see cref="Normal"/> gives for positions 0, 1, 2, …, times a deviation, plus a mean.</summary>
    public static void FillNormal(in RandomKey key, Span<float> values, double mean = 0, double deviation = 1)
    {
        for (var i = 0; i < values.Length; i += 2)
        {
            var (first, second) = NormalPair(key, (uint)i / 2);
            values[i] = (float)(mean + deviation * first);
            if (i + 1 < values.Length)
            {
                values[i + 1] = (float)(mean + deviation * second);
            }
        }
    }

    /// <summary>An integer in [0, bound). The bias of the multiply-high method is below bound / 2^64.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bound"/> is not positive.</exception>
    public static int Integer(in RandomKey key, uint position, int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)Math.BigMul(Block(key, position).First, (ulong)bound, out _);
    }

    /// <summary>The numbers 0 to n - 1 in random order (Fisher-Yates).</summary>
    public static int[] Permutation(in RandomKey key, int n)
    {
        var order = new int[n];
        for (var i = 0; i < n; i++)
        {
            order[i] = i;
        }

        Shuffle(key, order.AsSpan());
        return order;
    }

    /// <summary>Puts the items in random order, in place (Fisher-Yates).</summary>
    public static void Shuffle<T>(in RandomKey key, Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Integer(key, (uint)i, i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>The raw function: a 128-bit counter and a 64-bit key, each as 32-bit words from the lowest, give four words.</summary>
    public static (uint, uint, uint, uint) Block((uint, uint, uint, uint) counter, (uint, uint) key)
    {
        var (c0, c1, c2, c3) = counter;
        var (k0, k1) = key;
        for (var round = 0; round < 10; round++)
        {
            var product0 = (ulong)Multiplier0 * c0;
            var product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }

    private static (double First, double Second) NormalPair(in RandomKey key, uint block)
    {
        var (first, second) = Block(key, block);
        // 1 - u is in (0, 1], where the logarithm is finite.
        var radius = Math.Sqrt(-2 * Math.Log(1 - ToUnit(first)));
        var (sine, cosine) = Math.SinCos(2 * Math.PI * ToUnit(second));
        return (radius * cosine, radius * sine);
    }

    private static (ulong First, ulong Second) Block(in RandomKey key, uint position)
    {
        // The stage takes the low byte and the iteration, moved to start at 0, the 24 bits above it.
        var stream = checked((uint)(key.Iteration + 1) << 8 | (byte)key.Stage);
        var (a, b, c, d) = Block((position, (uint)key.Prompt, (uint)key.K, stream), ((uint)key.Seed, (uint)(key.Seed >> 32)));
        return ((ulong)b << 32 | a, (ulong)d << 32 | c);
    }

    private static double ToUnit(ulong bits) => (bits >> 11) * (1.0 / (1UL << 53));
}
