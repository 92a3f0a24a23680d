using Alt.Domain;

namespace Alt.Activities.Feedback;

/// <summary>People as judges: a sample without a label waits for one.</summary>
public sealed class HumanJudge : IJudge
{
    public string Name => HumanLabels.Judge;

    public string Version => "people";

    public Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token) => samples.Count == 0
        ? Task.FromResult<IReadOnlyList<Judgement>>([])
        : throw new HoldException(new Hold(HoldKind.Labels, "samples wait for people's labels"));
}
