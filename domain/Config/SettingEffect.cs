namespace Alt.Domain;

/// <summary>Where a setting first affects a run's record.</summary>
/// <param name="Stage">The stage of an iteration; null if it affects none.</param>
/// <param name="Latest">
/// The last iteration that can still begin with another value; null is any, -1 is none: it decides what all iterations share.
/// </param>
public sealed record SettingEffect(Stage? Stage, int? Latest = null)
{
    private static readonly SettingEffect Shared = new(null, -1);

    private static readonly (string Key, SettingEffect Effect)[] Effects =
    [
        ("name", new(Stage: null)),
        ("iterations", new(Stage: null)),
        // The base model stays as it was made.
        ("device", new(Domain.Stage.Sampling)),
        ("seed", Shared),
        ("data", Shared),
        ("model", Shared),
        // A grammar's labelled comments are imported with the data.
        ("rewardModel.comments", Shared),
        ("rewardModel.labelNoise", Shared),
        ("rewardModel", new(Domain.Stage.Feedback)),
        // The base model, whose evaluation all share, reads prompts by them too.
        ("prompts.chatTemplate", Shared),
        ("prompts.systemMessage", Shared),
        ("prompts.firstIteration", new(Domain.Stage.Prompts, 1)),
        ("prompts", new(Domain.Stage.Prompts)),
        // Chunks are cut when the prompts are drawn.
        ("sampling.chunkPrompts", new(Domain.Stage.Prompts)),
        ("sampling", new(Domain.Stage.Sampling)),
        ("feedback.tags", new(Domain.Stage.DataPool)),
        // The first training gives the policy its added tokens.
        ("feedback.encoding", new(Domain.Stage.Training, 1)),
        ("feedback.separator", new(Domain.Stage.Training, 1)),
        ("feedback", new(Domain.Stage.Feedback)),
        ("dataPool", new(Domain.Stage.DataPool)),
        ("selection.quantiles", new(Domain.Stage.DataPool)),
        ("selection.ranking", new(Domain.Stage.DataPool)),
        ("selection", new(Domain.Stage.Selection)),
        ("training.tagEmbeddingScale", new(Domain.Stage.Training, 1)),
        ("training", new(Domain.Stage.Training)),
        ("evaluation", new(Domain.Stage.Evaluation)),
    ];

    /// <param name="key">A setting such as <c>training.steps</c>.</param>
    /// <exception cref="KeyNotFoundException">No run has such a setting.</exception>
    public static SettingEffect Of(string key) =>
        Effects.FirstOrDefault(e => key == e.Key || key.StartsWith(e.Key + ".", StringComparison.Ordinal)).Effect
        ?? throw new KeyNotFoundException($"No setting is called '{key}'.");
}
