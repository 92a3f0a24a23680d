namespace Alt.Domain;

/// <summary>What a sampler needs: a stage's settings, and what follows from the policy.</summary>
public sealed record SamplingOptions : DecodingConfig
{
    /// <summary>Tokens that can never be drawn, such as the feedback's own added tokens.</summary>
    /// <value>Default none.</value>
    public IReadOnlyList<int> BannedTokens { get; init; } = [];
}
