namespace Alt.Domain;

public sealed record DataPoolConfig
{
    /// <summary>Keep earlier iterations' samples in the pool (toxicity task) or start each iteration empty.</summary>
    public bool Accumulate { get; init; } = true;
}
