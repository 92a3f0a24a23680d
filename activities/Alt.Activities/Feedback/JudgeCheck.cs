using Alt.Domain;
using Alt.Infra.Calls;
using Alt.Model.Network;

namespace Alt.Activities.Feedback;

/// <summary>A text whose level is known.</summary>
/// <param name="Level">0 is the best.</param>
public sealed record KnownSample(string Prompt, string Text, int Level, string? Reference = null);

/// <param name="Version">The judge's version.</param>
/// <param name="Calls">How many questions were sent, retries included.</param>
/// <param name="Cost">US dollars.</param>
/// <param name="Outcomes">How often each kind of outcome came, over all askings.</param>
public sealed record JudgeCheckResult(
    string Judge, string Version, IReadOnlyList<string> Levels, JudgeAgreement Agreement, IReadOnlyDictionary<string, int> Outcomes,
    int Calls, decimal Cost);

/// <summary>Tries a judge on texts whose levels are known, several times each.</summary>
public sealed class JudgeCheck(Judges judges, Func<Task<TextClassifier>> rewardModel)
{
    /// <summary>The payer of the questions: each check pays for itself.</summary>
    private readonly string _payer = $"judge-check-{Guid.NewGuid():N}";

    /// <param name="askings">How often each text is judged; from the second time on the judge is asked again, not the cache.</param>
    /// <exception cref="HoldException">The budget does not allow it.</exception>
    /// <exception cref="InputException">The config's device is not available.</exception>
    public async Task<JudgeCheckResult> RunAsync(RunConfig config, IReadOnlyList<KnownSample> samples, int askings, CancellationToken token)
    {
        FeedbackRequest[] requests = [.. samples.Select((s, i) =>
            new FeedbackRequest(new SampleId(0, i, 0), s.Prompt, s.Text, s.Reference))];
        var tags = config.QuantileFeedback().Tags;
        var device = ModelDevice.Choose(config.Device);
        var said = samples.Select(_ => new List<int?>(askings)).ToArray();
        var judgements = new List<Judgement>();
        IJudge? judge = null;
        for (var asking = 0; asking < askings; asking++)
        {
            judge = await judges.OpenAsync(
                config.Feedback.Judge,
                new JudgeUse(new CallScope(_payer, asking, config.Feedback.Budget), rewardModel) { Device = device, Asking = asking });
            var judged = await judge.JudgeAsync(requests, null, token);
            judgements.AddRange(judged);
            foreach (var (i, level) in LevelsOf([.. judged.Select(j => j.Outcome)], tags.Count).Index())
            {
                said[i].Add(level);
            }
        }

        var calls = judgements.SelectMany(j => j.Calls).ToArray();
        return new JudgeCheckResult(
            judge!.Name, judge.Version, tags,
            JudgeAgreement.Measure([.. samples.Zip(said, (s, levels) => (s.Level, (IReadOnlyList<int?>)levels))], tags.Count),
            judgements.GroupBy(j => j.Outcome.GetType().Name).ToDictionary(g => g.Key, g => g.Count()), calls.Sum(c => c.Attempts),
            calls.Sum(c => c.Cost));
    }

    /// <summary>A category as it is, a reward in [0, 1] by its nearest level; where rewards have another scale, all are ranked.</summary>
    private static IEnumerable<int?> LevelsOf(IReadOnlyList<FeedbackOutcome> outcomes, int levels)
    {
        var labels = outcomes.OfType<FeedbackOutcome.Labelled>().ToArray();
        if (labels.All(l => l.Category is not null || l.Reward is >= 0 and <= 1))
        {
            return outcomes.Select(o =>
                o is FeedbackOutcome.Labelled label ? label.Category ?? JudgeAgreement.LevelOf(label.Reward, levels) : (int?)null);
        }

        var ranks = new Queue<int>(DataPool.Quantiles([.. labels.Select(l => l.Reward)], levels));
        return [.. outcomes.Select(o => o is FeedbackOutcome.Labelled ? ranks.Dequeue() : (int?)null)];
    }
}
