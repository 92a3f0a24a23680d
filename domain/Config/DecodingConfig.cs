namespace Alt.Domain;

/// <summary>How a stage decodes; the settings are explained at <see cref="SamplingOptions"/>.</summary>
public abstract record DecodingConfig
{
    public double Temperature { get; init; } = 1.0;
    public double TopP { get; init; } = 1.0;
    public int TopK { get; init; }
    public int MinNewTokens { get; init; }
    public int MaxNewTokens { get; init; } = 20;

    public SamplingOptions ToOptions() =>
        new() { Temperature = Temperature, TopP = TopP, TopK = TopK, MinNewTokens = MinNewTokens, MaxNewTokens = MaxNewTokens };
}
