namespace Alt.Domain;

public sealed record SelectionConfig
{
    /// <summary>Number of quantiles K that the pool is ranked into; 0 takes one per tag.</summary>
    public int Quantiles { get; init; }

    /// <summary>What the quantiles are computed over.</summary>
    public Ranking Ranking { get; init; } = Ranking.Pool;

    /// <summary>What happens to generations that hit the token limit.</summary>
    public TruncatedSamples Truncated { get; init; } = TruncatedSamples.Keep;

    /// <summary>What happens to a sample that has the text and the tokens of an earlier one of the same prompt.</summary>
    public DuplicateSamples Duplicates { get; init; }

    /// <summary>At most this many per quantile, by seed; 0 takes all.</summary>
    public int PerQuantile { get; init; }

    internal IEnumerable<(bool Ok, string Problem)> Checks(FeedbackConfig feedback) =>
    [
        (Quantiles == 0 || Quantiles >= 2 && Quantiles <= feedback.Tags.Count,
            $"selection.quantiles is {Quantiles}, expected 2 to {feedback.Tags.Count}, one tag of feedback.tags "
            + "each, or 0 (as many as tags)"),
        (
            Quantiles == 0 || Ranking != Ranking.Category,
            $"selection.quantiles is {Quantiles}, expected 0 where selection.ranking is category"),
    ];
}

/// <summary>
/// Pool: rewards over the whole pool (toxicity). Prompt: rewards of one prompt's samples (ALT_RM and Quark on summaries).
/// Category: no ranking, a sample has the judge's category or score (ALT_LMC, SteerLM, ALT_LMU).
/// </summary>
public enum Ranking { Pool, Prompt, Category }

/// <summary>Keep: like any other. Last: only where a quantile has too few finished ones. Reject: never.</summary>
public enum TruncatedSamples { Keep, Last, Reject }

/// <summary>Keep: like any other. Reject: never.</summary>
public enum DuplicateSamples { Keep, Reject }
