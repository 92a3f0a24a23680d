using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>
/// Several judges at once: a veto of one is a veto, a label is the weighted mean of all labels, and where one has no label there is none.
/// </summary>
/// <param name="members">Weights of 0 or more, not all 0; a member of weight 0 can only veto.</param>
public sealed class EnsembleJudge(IReadOnlyList<(double Weight, IJudge Judge)> members) : IJudge
{
    public string Name => "ensemble";

    public string Version { get; } = AltJson.Hash(members.Select(m => new { m.Weight, m.Judge.Name, m.Judge.Version }));

    public async Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token)
    {
        // Guards are cheap and come first: later judges are not asked about a sample that a guard vetoes.
        var outcomes = samples.Select(_ => new List<(double Weight, Judgement Judgement)>()).ToArray();
        foreach (var (weight, judge) in members)
        {
            int[] open = [.. Enumerable.Range(0, samples.Count)
                .Where(i => !outcomes[i].Any(o => o.Judgement.Outcome is FeedbackOutcome.Vetoed))];
            var judged = await judge.JudgeAsync([.. open.Select(i => samples[i])], null, token);
            foreach (var (i, judgement) in open.Zip(judged))
            {
                outcomes[i].Add((weight, judgement));
            }
        }

        progress?.Report(samples.Count);
        return [.. samples.Zip(outcomes, (sample, all) =>
            new Judgement(sample.Id, Combine(all)) { Calls = [.. all.SelectMany(o => o.Judgement.Calls)] })];
    }

    private static FeedbackOutcome Combine(List<(double Weight, Judgement Judgement)> all)
    {
        if (all.Select(o => o.Judgement.Outcome).OfType<FeedbackOutcome.Vetoed>().FirstOrDefault() is { } vetoed)
        {
            return vetoed;
        }

        // A member of weight 0 without an opinion does not withhold the label.
        var counting = all.Where(o => o.Weight > 0).ToArray();
        return counting.Select(o => o.Judgement.Outcome).FirstOrDefault(o => o is not FeedbackOutcome.Labelled)
            ?? new FeedbackOutcome.Labelled(
                counting.Sum(o => o.Weight * ((FeedbackOutcome.Labelled)o.Judgement.Outcome).Reward) / counting.Sum(o => o.Weight));
    }
}
