namespace Alt.Domain;

public sealed record EvaluationConfig
{
    /// <summary>How many of the evaluation prompts are used, in file order.</summary>
    public int Prompts { get; init; } = 80;

    /// <summary>Generations per prompt.</summary>
    public int Generations { get; init; } = 25;

    public double Temperature { get; init; } = 1.0;
    public double TopP { get; init; } = 0.9;
    public int TopK { get; init; }
    public int MinNewTokens { get; init; }
    public int MaxNewTokens { get; init; } = 20;

    /// <summary>The classifier that judges; null takes the reward model itself.</summary>
    public ClassifierConfig? Judge { get; init; }

    /// <summary>The decoding part of these settings.</summary>
    public SamplingOptions ToOptions() =>
        new() { Temperature = Temperature, TopP = TopP, TopK = TopK, MinNewTokens = MinNewTokens, MaxNewTokens = MaxNewTokens };

    internal IEnumerable<(bool Ok, string Problem)> Checks() =>
    [
        (Prompts > 0 && Generations > 0, "evaluation.prompts and evaluation.generations must be 1 or more"),
        .. ToOptions().Checks("evaluation"),
    ];
}
