namespace Alt.Domain;

public sealed record SamplingConfig : DecodingConfig
{
    /// <summary>Generations per prompt (n).</summary>
    public int Generations { get; init; } = 5;

    /// <summary>Prompts per activity. Part of the plan that decides batch shapes, so part of the result.</summary>
    public int ChunkPrompts { get; init; } = 64;

    /// <summary>Sequences decoded together.</summary>
    public int BatchSize { get; init; } = 128;

    internal IEnumerable<(bool Ok, string Problem)> Checks() =>
    [
        (Generations > 0, $"sampling.generations is {Generations}, expected 1 or more"),
        (ChunkPrompts > 0, $"sampling.chunkPrompts is {ChunkPrompts}, expected 1 or more"),
        .. DecodingChecks("sampling"),
    ];
}
