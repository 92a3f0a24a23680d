using Alt.Domain;

namespace Alt.Activities.Feedback;

/// <summary>People as judges: a sample without a label waits for one.</summary>
/// <param name="run">The run's name, for the message.</param>
public sealed class HumanJudge(string run) : IJudge
{
    public string Name => HumanLabels.Judge;

    public string Version => "people";

    public Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token) => samples.Count == 0
        ? Task.FromResult<IReadOnlyList<Judgement>>([])
        : throw new HoldException(
            $"samples wait for people's labels: ./alt feedback export {run} --out FILE, then ./alt feedback import {run} FILE --author "
            + $"NAME, then ./alt resume {run}");
}
