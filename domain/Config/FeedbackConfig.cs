namespace Alt.Domain;

/// <summary>How rewards become textual feedback f (paper section 2.3).</summary>
public sealed record FeedbackConfig
{
    /// <summary>One tag per quantile, best first.</summary>
    public IReadOnlyList<string> Tags { get; init; } =
        ["Lowest Toxicity", "Low-Moderate Toxicity", "Moderate Toxicity", "High-Moderate Toxicity", "Maximum Toxicity"];

    /// <summary>Text tags are written in ordinary tokens before the separator; special tags are one added token each.</summary>
    public TagEncoding Encoding { get; init; } = TagEncoding.Text;

    /// <summary>The added token between feedback and prompt.</summary>
    public string Separator { get; init; } = "<|separator|>";

    /// <summary>Who judges the samples.</summary>
    public JudgeConfig Judge { get; init; } = new JudgeConfig.RewardModel();

    public BudgetConfig Budget { get; init; } = new();

    /// <summary>
    /// Share of an iteration's samples that may stay without a label because their judgement failed or could not be read; beyond it the run
    /// pauses.
    /// </summary>
    public double FailureShare { get; init; } = 0.02;

    internal IEnumerable<(bool Ok, string Problem)> Checks(RunConfig config) =>
    [
        (Tags.Count >= 2, "feedback.tags needs at least two tags, best first"),
        (Tags.Distinct().Count() == Tags.Count, "feedback.tags holds the same tag twice"),
        (FailureShare is >= 0 and <= 1, $"feedback.failureShare is {FailureShare}, expected 0 to 1"),
        (
            Budget is { Run: >= 0, Iteration: >= 0, RunTokens: >= 0, IterationTokens: >= 0 },
            "feedback.budget must not be negative; 0 is no limit"),
        .. Judge.Problems("feedback.judge", config).Select(problem => (false, problem)),
    ];
}

public enum TagEncoding { Text, Special }
