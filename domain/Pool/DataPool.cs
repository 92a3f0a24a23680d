using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace Alt.Domain;

/// <summary>A sample with its reward; <paramref name="Content"/> is the SHA-256 of its text and tokens.</summary>
public sealed record PoolSample(SampleId Id, string Content, double Reward, bool Truncated)
{
    /// <inheritdoc cref="FeedbackOutcome.Labelled.Category"/>
    public int? Category { get; init; }
}

/// <summary>A pool sample with its quantile, or its category where the pool is not ranked: 0 is the best.</summary>
public sealed record PoolEntry(PoolSample Sample, int Quantile);

public static class DataPool
{
    /// <summary>
    /// The quantile of each reward, 0 = highest. Stable sort, descending; every quantile takes floor(N/K) and the last, worst one the
    /// remainder (paper section 2.3). Fewer than K are spread from the best on by rank * K / N, where the published code calls all of them
    /// the worst; rewards that are all equal distinguish nothing and take the quantile in the middle.
    /// </summary>
    public static int[] Quantiles(IReadOnlyList<double> rewards, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var quantiles = new int[rewards.Count];
        if (AllEqual(rewards))
        {
            Array.Fill(quantiles, count / 2);
            return quantiles;
        }

        var each = rewards.Count / count;
        var ranked = Enumerable.Range(0, rewards.Count).OrderByDescending(i => rewards[i]);
        foreach (var (rank, i) in ranked.Index())
        {
            quantiles[i] = each == 0 ? rank * count / rewards.Count : Math.Min(rank / each, count - 1);
        }

        return quantiles;
    }

    /// <summary>The pool after an iteration: old and new samples in canonical order, every one ranked again.</summary>
    /// <exception cref="InvalidOperationException">Categories are to be the quantiles, and a sample has none.</exception>
    public static IReadOnlyList<PoolEntry> Update(
        IEnumerable<PoolSample> kept, IEnumerable<PoolSample> added, int quantiles, Ranking ranking = Ranking.Pool)
    {
        var samples = kept.Concat(added).OrderBy(s => s.Id).ToArray();
        if (ranking == Ranking.Category)
        {
            return [.. samples.Select(s => new PoolEntry(s, CategoryOf(s, quantiles)))];
        }

        var ranks = new int[samples.Length];
        foreach (var group in Groups(samples, ranking))
        {
            foreach (var (quantile, i) in Quantiles([.. group.Select(i => samples[i].Reward)], quantiles).Zip(group))
            {
                ranks[i] = quantile;
            }
        }

        return [.. samples.Select((s, i) => new PoolEntry(s, ranks[i]))];
    }

    /// <summary>How much of the ranking the rewards do not decide.</summary>
    public static RankingDoubts Doubts(IReadOnlyList<PoolEntry> pool, int quantiles, Ranking ranking)
    {
        if (ranking == Ranking.Category)
        {
            return new RankingDoubts(0, 0, 0);
        }

        var (tied, few, equal) = (0, 0, 0);
        foreach (var group in Groups([.. pool.Select(e => e.Sample)], ranking))
        {
            few += group.Length < quantiles ? group.Length : 0;
            equal += AllEqual([.. group.Select(i => pool[i].Sample.Reward)]) ? group.Length : 0;
            tied += group.GroupBy(i => pool[i].Sample.Reward)
                .Where(g => g.Select(i => pool[i].Quantile).Distinct().Skip(1).Any()).Sum(g => g.Count());
        }

        return new RankingDoubts(tied, few, equal);
    }

    /// <summary>SHA-256 over every entry's id, content, reward bits and quantile in canonical order.</summary>
    public static string Hash(IReadOnlyList<PoolEntry> pool)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> row = stackalloc byte[24];
        foreach (var (sample, quantile) in pool)
        {
            BinaryPrimitives.WriteInt32LittleEndian(row, sample.Id.Iteration);
            BinaryPrimitives.WriteInt32LittleEndian(row[4..], sample.Id.Prompt);
            BinaryPrimitives.WriteInt32LittleEndian(row[8..], sample.Id.K);
            BinaryPrimitives.WriteInt32LittleEndian(row[12..], quantile);
            BinaryPrimitives.WriteDoubleLittleEndian(row[16..], sample.Reward);
            hash.AppendData(row);
            hash.AppendData(Convert.FromHexString(sample.Content));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The samples, by index, that are ranked against each other.</summary>
    private static IEnumerable<int[]> Groups(PoolSample[] samples, Ranking ranking) => ranking == Ranking.Prompt
        ? Enumerable.Range(0, samples.Length).GroupBy(i => samples[i].Id.Prompt).Select(g => g.ToArray())
        : [[.. Enumerable.Range(0, samples.Length)]];

    private static bool AllEqual(IReadOnlyList<double> rewards) => rewards.Count > 0 && rewards.All(r => r == rewards[0]);

    private static int CategoryOf(PoolSample sample, int categories) => sample.Category is { } category && (uint)category < categories
        ? category
        : throw new InvalidOperationException(
            $"Sample {sample.Id} has {(sample.Category is { } c ? $"the category {c}" : "no category")}, expected one "
            + $"of 0 to {categories - 1}.");
}

/// <summary>Samples whose quantile was decided by something other than their reward, by cause; a sample may count twice.</summary>
/// <param name="Tied">Their reward lies in more than one quantile: the order of the record decided.</param>
/// <param name="TooFew">They are ranked among fewer samples than there are quantiles.</param>
/// <param name="AllEqual">All that they are ranked among have the same reward.</param>
public sealed record RankingDoubts(int Tied, int TooFew, int AllEqual)
{
    [JsonIgnore]
    public bool Any => Tied + TooFew + AllEqual > 0;
}
