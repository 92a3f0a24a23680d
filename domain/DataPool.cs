using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Alt.Domain;

/// <summary>Names one generation of a run: the k-th for a prompt in an iteration. Sorts in the canonical order of the record.</summary>
public readonly record struct SampleId(int Iteration, int Prompt, int K) : IComparable<SampleId>
{
    public int CompareTo(SampleId other) => (Iteration, Prompt, K).CompareTo((other.Iteration, other.Prompt, other.K));

    public override string ToString() => $"{Iteration}/{Prompt}/{K}";
}

/// <summary>A sample with its reward; <paramref name="Content"/> is the SHA-256 of its text and tokens.</summary>
public sealed record PoolSample(SampleId Id, string Content, double Reward, bool Truncated);

/// <summary>A pool sample with its quantile: 0 is the best.</summary>
public sealed record PoolEntry(PoolSample Sample, int Quantile);

public static class DataPool
{
    /// <summary>
    /// The quantile of each reward, 0 = highest. Stable sort, descending; every quantile takes floor(N/K) and the last, worst one the remainder
    /// (paper section 2.3; with N smaller than K all land in the last).
    /// </summary>
    public static int[] Quantiles(IReadOnlyList<double> rewards, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var each = rewards.Count / count;
        var quantiles = new int[rewards.Count];
        var ranked = Enumerable.Range(0, rewards.Count).OrderByDescending(i => rewards[i]);
        foreach (var (rank, i) in ranked.Index())
        {
            quantiles[i] = each == 0 ? count - 1 : Math.Min(rank / each, count - 1);
        }

        return quantiles;
    }

    /// <summary>The pool after an iteration: old and new samples in canonical order, every one with its quantile anew.</summary>
    public static IReadOnlyList<PoolEntry> Update(IEnumerable<PoolSample> kept, IEnumerable<PoolSample> added, int quantiles)
    {
        var samples = kept.Concat(added).OrderBy(s => s.Id).ToArray();
        var ranks = Quantiles([.. samples.Select(s => s.Reward)], quantiles);
        return [.. samples.Select((s, i) => new PoolEntry(s, ranks[i]))];
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
}
