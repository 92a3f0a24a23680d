namespace Alt.Domain;

/// <summary>The origin of the past that a run shares with another one: everything before a stage of an iteration.</summary>
/// <param name="Run">The run that made it.</param>
/// <param name="Version">How many events that run's own stream held then.</param>
public sealed record RunOrigin(string Run, int Iteration, Stage Stage, long Version);

/// <summary>
/// Decides what a fork shares with its parent. Settings apply from the fork's first iteration on; what the parent did before
/// stays unchanged.
/// </summary>
public static class Fork
{
    /// <summary>One line per reason why the fork cannot begin there with these settings.</summary>
    /// <param name="keys">The settings in which <paramref name="config"/> differs from the parent's.</param>
    public static IEnumerable<string> Problems(RunState parent, RunConfig config, IReadOnlyList<string> keys, int at)
    {
        if (parent.Data is not { } data || parent.Base is null)
        {
            yield return "the run has no base model yet, so there is nothing to share";
            yield break;
        }

        if (at < 0 || at > parent.IterationsFinished || at > config.Iterations)
        {
            yield return $"--at {at}: expected an iteration from 0 to {Math.Min(parent.IterationsFinished, config.Iterations)}, the last "
                + "that the run has begun and the fork would have";
        }

        foreach (var key in keys)
        {
            if (LatestOf(key, parent.Config) is not { } latest || latest >= at)
            {
                continue;
            }

            yield return latest < 0
                ? $"--set {key}: it decides what is prepared before iteration 0 and shared by all; only a new run can change it"
                : $"--set {key}: iteration {latest} was the only one that could begin with another value; --at {latest}";
        }

        if (config.Evaluation.Prompts > parent.Config.Evaluation.Prompts && config.Evaluation.Prompts > data.EvaluationCount)
        {
            yield return $"--set evaluation.prompts: the run imported {data.EvaluationCount} of them; expected no more, or a new run";
        }

        if (config.Prompts.PerIteration > parent.Config.Prompts.PerIteration && config.Prompts.PerIteration > data.PromptCount)
        {
            yield return $"--set prompts.perIteration: the run imported {data.PromptCount} prompts; expected no more, or a new run";
        }
    }

    /// <summary>
    /// The first stage of iteration <paramref name="at"/> that the fork does itself. If one of the drawn prompts that it would sample from
    /// was erased since, the fork draws its own prompts, without that one.
    /// </summary>
    /// <param name="drawn">The parent's prompts of that iteration.</param>
    public static Stage FirstStage(
        RunState parent, RunConfig config, IReadOnlyList<string> keys, int at, IterationEvent.PromptsDrawn? drawn)
    {
        var stage = FirstStage(parent.Config, config, keys, at);
        return stage == Stage.Sampling && drawn is not null && parent.Erasures.Any(e => e.Replaced.ContainsKey(drawn.Prompts.Hash))
            ? Stage.Prompts
            : stage;
    }

    /// <summary>The first stage that the settings affect. If no setting affects a stage, the fork does all of them.</summary>
    public static Stage FirstStage(RunConfig parent, RunConfig config, IReadOnlyList<string> keys, int at)
    {
        if (at == 0)
        {
            return Stage.Evaluation;
        }

        // What the policy is given: the best tag, or exemplars.
        var given = at > 1 && (parent.Feedback.Tags[0] != config.Feedback.Tags[0] || parent.HasExemplars != config.HasExemplars);
        var stages = keys.Select(key =>
            given && key.StartsWith("feedback.", StringComparison.Ordinal) ? Stage.Sampling : SettingEffect.Of(key).Stage);
        return stages.Min() ?? Stage.Prompts;
    }

    /// <summary>
    /// The parent's facts that the fork takes over, in their order: what was prepared, and the iterations before it begins.
    /// </summary>
    public static IEnumerable<RunEvent> Shared(IEnumerable<RunEvent> parent, IReadOnlyList<string> keys, int at, Stage first) =>
        parent.Where(e => e switch
        {
            RunEvent.DataImported or RunEvent.BaseModelPrepared or RunEvent.PromptErased => true,
            // A sample that is drawn again is not the one that was labelled.
            RunEvent.SamplesLabelled labelled => labelled.Iteration < at || labelled.Iteration == at && first > Stage.Sampling,
            RunEvent.ClassifierTrained { Role: ClassifierRole.Reward } => !keys.Any(k =>
                k.StartsWith("rewardModel.", StringComparison.Ordinal)),
            RunEvent.ClassifierTrained => !keys.Any(k =>
                k == "evaluation.judge" || k.StartsWith("evaluation.judge.", StringComparison.Ordinal)),
            RunEvent.IterationFinished finished => finished.Iteration < at,
            _ => false,
        }).Select(e => e is RunEvent.PromptErased erased ? erased with { FromIteration = Math.Min(erased.FromIteration, at) } : e);

    /// <summary>An iteration's facts from before a stage.</summary>
    public static IEnumerable<IterationEvent> Shared(IEnumerable<IterationEvent> parent, Stage before) => parent.Where(e =>
        StageOf(e) < before);

    private static int? LatestOf(string key, RunConfig parent) =>
        // Special tags are tokens of the policy, which the first training adds.
        key is "feedback.tags" or "selection.quantiles" && parent.Feedback.Encoding == TagEncoding.Special
            ? 1
            : SettingEffect.Of(key).Latest;

    private static Stage StageOf(IterationEvent e) => e switch
    {
        IterationEvent.PromptsDrawn => Stage.Prompts,
        IterationEvent.ChunkFinished chunk => chunk.Stage,
        IterationEvent.GenerationsSampled => Stage.Sampling,
        IterationEvent.FeedbackCollected => Stage.Feedback,
        IterationEvent.DataPoolUpdated => Stage.DataPool,
        IterationEvent.BatchSelected => Stage.Selection,
        IterationEvent.TrainingCheckpointed or IterationEvent.PolicyTrained => Stage.Training,
        IterationEvent.PolicyEvaluated => Stage.Evaluation,
        _ => throw new InvalidOperationException($"No stage has the event {e.GetType().Name}."),
    };
}
