namespace Alt.Domain;

/// <summary>Why a pool sample is not trained on.</summary>
public enum LeftOut { Truncated, OverQuota, Erased, Duplicate }

/// <summary>The decision on one pool sample: trained on with its quantile's feedback, or left out for a reason.</summary>
public sealed record SelectedSample(SampleId Id, int Quantile, LeftOut? LeftOut)
{
    public bool Selected => LeftOut is null;
}

public static class Selection
{
    /// <summary>
    /// Rejection sampling and quantile balancing: drops truncated and duplicate samples as configured, then takes at most
    /// <see cref="SelectionConfig.PerQuantile"/> of each quantile at random. No quantile borrows from another.
    /// </summary>
    /// <param name="pool">In canonical order: of equal samples the first one counts.</param>
    /// <param name="erased">Prompts whose samples are gone.</param>
    /// <returns>One decision per pool entry, in the pool's order.</returns>
    public static IReadOnlyList<SelectedSample> Select(
        IReadOnlyList<PoolEntry> pool, SelectionConfig config, long seed, int iteration, IReadOnlySet<int>? erased = null)
    {
        var order = Philox.Permutation(new RandomKey(seed, iteration, Stage.Selection, 0, 0), pool.Count);
        var duplicates = config.Duplicates == DuplicateSamples.Reject ? Duplicates(pool) : [];
        var candidates = order
            .Where(i => Refusal(pool[i].Sample) is null)
            .OrderBy(i => config.Truncated == TruncatedSamples.Last && pool[i].Sample.Truncated)
            .GroupBy(i => pool[i].Quantile)
            .SelectMany(quantile => config.PerQuantile == 0 ? quantile : quantile.Take(config.PerQuantile))
            .ToHashSet();

        return [.. pool.Select((entry, i) => new SelectedSample(
            entry.Sample.Id, entry.Quantile, candidates.Contains(i) ? null : Refusal(entry.Sample) ?? Domain.LeftOut.OverQuota))];

        LeftOut? Refusal(PoolSample sample) =>
            erased?.Contains(sample.Id.Prompt) == true ? Domain.LeftOut.Erased
            : sample.Truncated && config.Truncated == TruncatedSamples.Reject ? Domain.LeftOut.Truncated
            : duplicates.Contains(sample.Id) ? Domain.LeftOut.Duplicate
            : null;
    }

    /// <summary>How many were left out, by reason.</summary>
    public static IReadOnlyDictionary<string, int> LeftOut(IEnumerable<SelectedSample> decisions) =>
        decisions.Where(d => !d.Selected).GroupBy(d => d.LeftOut!.Value).ToDictionary(g => g.Key.ToString(), g => g.Count());

    /// <summary>The samples with the same prompt, text and tokens as one before them.</summary>
    private static HashSet<SampleId> Duplicates(IEnumerable<PoolEntry> pool) =>
        [.. pool.GroupBy(e => (e.Sample.Id.Prompt, e.Sample.Content)).SelectMany(same => same.Skip(1)).Select(e => e.Sample.Id)];
}
