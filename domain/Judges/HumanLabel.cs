namespace Alt.Domain;

/// <summary>
/// What a person says of a sample, over whatever a judge does: a reward, a tag of <see cref="FeedbackConfig.Tags"/>, or a veto.
/// </summary>
/// <param name="Reward">Higher is better; with a tag alone, the tags are evenly spread from 1 (the best) to 0.</param>
/// <param name="Text">Feedback in the person's own words, beside a reward or a tag.</param>
public sealed record HumanLabel(SampleId Id, double? Reward = null, string? Tag = null, string? Text = null, bool Veto = false)
{
    /// <exception cref="InputException">The label says nothing that the run can use, or names a tag that it does not have.</exception>
    public FeedbackOutcome ToOutcome(RunConfig config)
    {
        var tags = config.QuantileFeedback().Tags;
        if (Veto)
        {
            return new FeedbackOutcome.Vetoed(string.IsNullOrWhiteSpace(Text) ? "by a person" : Text);
        }

        var category = Tag is null ? (int?)null : tags.Index()
            .Where(t => string.Equals(t.Item, Tag, StringComparison.OrdinalIgnoreCase)).Select(t => (int?)t.Index).FirstOrDefault()
            ?? throw new InputException($"label of {Id}: the run has no tag '{Tag}'; its tags are {string.Join(", ", tags)}");
        var reward = Reward ?? (category is { } index
            ? Rewards.OfCategory(index, tags.Count)
            : throw new InputException($"label of {Id}: expected a reward, a tag or a veto"));
        if (category is null && config.Selection.Ranking == Ranking.Category)
        {
            throw new InputException(
                $"label of {Id}: selection.ranking is category, so a label needs one of the run's tags: {string.Join(", ", tags)}");
        }

        if (!string.IsNullOrWhiteSpace(Text) && config.Feedback.Encoding == TagEncoding.Special)
        {
            throw new InputException(
                $"label of {Id}: feedback in own words needs feedback.encoding text, and this run's tags are special tokens");
        }

        return double.IsFinite(reward)
            ? new FeedbackOutcome.Labelled(reward) { Category = category, Text = string.IsNullOrWhiteSpace(Text) ? null : Text }
            : throw new InputException($"label of {Id}: the reward {reward} is no number to rank by");
    }
}

public static class Rewards
{
    /// <summary>Categories as rewards, for means and curves: evenly spread from 1 (the best) to 0.</summary>
    public static double OfCategory(int category, int categories) => categories == 1 ? 1 : 1 - (double)category / (categories - 1);
}
