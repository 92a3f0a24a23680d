namespace Alt.Domain;

/// <summary>How generations are drawn from the policy's next-token distribution.</summary>
public abstract record DecodingConfig
{
    /// <summary>The logits are divided by this before the softmax. Above 0.</summary>
    /// <value>Default 1.</value>
    public double Temperature { get; init; } = 1;

    /// <summary>Only the most likely tokens that together reach this probability can be drawn. Above 0, at most 1.</summary>
    /// <value>Default 1, which truncates nothing; .9 in evaluation.</value>
    public double TopP { get; init; } = 1;

    /// <summary>Only this many of the most likely tokens can be drawn; 0 is off.</summary>
    /// <value>Default 0.</value>
    public int TopK { get; init; }

    /// <summary>The end-of-text token cannot be drawn before this many tokens.</summary>
    /// <value>Default 0.</value>
    public int MinNewTokens { get; init; }

    /// <summary>A generation stops at this many tokens, the end-of-text token counted.</summary>
    /// <value>Default 20.</value>
    public int MaxNewTokens { get; init; } = 20;

    public SamplingOptions ToOptions() =>
        new() { Temperature = Temperature, TopP = TopP, TopK = TopK, MinNewTokens = MinNewTokens, MaxNewTokens = MaxNewTokens };

    /// <param name="key">The settings' path in the config.</param>
    private protected IEnumerable<(bool Ok, string Problem)> DecodingChecks(string key) =>
    [
        (Temperature > 0, $"{key}.temperature is {Temperature}, expected more than 0"),
        (TopP is > 0 and <= 1, $"{key}.topP is {TopP}, expected above 0 and at most 1"),
        (TopK >= 0, $"{key}.topK is {TopK}, expected 0 (off) or more"),
        (MinNewTokens >= 0 && MaxNewTokens > 0 && MinNewTokens <= MaxNewTokens,
            $"{key}.minNewTokens {MinNewTokens} and maxNewTokens {MaxNewTokens} do not fit together"),
    ];
}
