using System.Globalization;

namespace Alt.Domain;

/// <summary>
/// Samples whose judgement failed or could not be read: they are in no pool, and another try or a person may still label them.
/// </summary>
public static class Quarantine
{
    /// <summary>Why an iteration may not continue without the samples in quarantine, by kind of failure; null where it may.</summary>
    /// <param name="share">The largest share of all samples that may be missing.</param>
    public static Hold? Hold(int iteration, IReadOnlyCollection<FeedbackOutcome> outcomes, double share)
    {
        var waiting = outcomes.Where(o => o.InQuarantine).ToArray();
        if (waiting.Length <= share * outcomes.Count)
        {
            return null;
        }

        var kinds = waiting.GroupBy(KindOf).OrderByDescending(g => g.Count())
            .ThenBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Count()} {g.Key}");
        return new Hold(HoldKind.Quarantine, string.Create(CultureInfo.InvariantCulture,
            $"iteration {iteration}: {waiting.Length} of {outcomes.Count} samples have no label ({string.Join(", ", kinds)}), more than "
            + $"the share of {share} that feedback.failureShare allows"));
    }

    /// <summary>The first words of a failure say its kind, up to a colon.</summary>
    public static string KindOf(FeedbackOutcome outcome) => outcome switch
    {
        FeedbackOutcome.Unparsed => "unreadable replies",
        FeedbackOutcome.Failed(var reason) => reason.Split(':', 2)[0],
        _ => throw new ArgumentException($"{outcome.GetType().Name} is not in quarantine.", nameof(outcome)),
    };
}
