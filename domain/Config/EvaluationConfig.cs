namespace Alt.Domain;

public sealed record EvaluationConfig : DecodingConfig
{
    public EvaluationConfig() => TopP = 0.9;

    /// <summary>How many of the evaluation prompts are used, in file order.</summary>
    public int Prompts { get; init; } = 80;

    /// <summary>Generations per prompt.</summary>
    public int Generations { get; init; } = 25;

    /// <summary>The classifier that judges; null takes the reward model itself.</summary>
    public ClassifierConfig? Judge { get; init; }

    internal IEnumerable<(bool Ok, string Problem)> Checks() =>
    [
        (Prompts > 0 && Generations > 0, "evaluation.prompts and evaluation.generations must be 1 or more"),
        .. DecodingChecks("evaluation"),
    ];
}
