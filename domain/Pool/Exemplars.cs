namespace Alt.Domain;

/// <summary>
/// The feedback that samples are given where it comes in the judge's own words (ALT_LMU): for each prompt one of the best that the
/// previous iteration received. The published code leaves the rule open; this one is by seed.
/// </summary>
public static class Exemplars
{
    /// <summary>The distinct feedbacks of an iteration's best category, in ordinal order.</summary>
    public static IReadOnlyList<string> Best(IEnumerable<FeedbackOutcome> outcomes) =>
        [.. outcomes.OfType<FeedbackOutcome.Labelled>().Where(l => l.Category == 0).Select(l => l.Text)
            .Where(t => !string.IsNullOrEmpty(t)).OfType<string>().Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The exemplar of one prompt; <paramref name="fallback"/> if no exemplar is available.</summary>
    public static string Of(IReadOnlyList<string> best, RandomKey key, string fallback) =>
        best.Count == 0 ? fallback : best[Philox.Integer(key, 0, best.Count)];
}
