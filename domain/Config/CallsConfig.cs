namespace Alt.Domain;

/// <summary>
/// Limits and prices of calls to a remote judge. Workers and runs that name the same endpoint, model and key share the limits.
/// </summary>
public sealed record CallsConfig
{
    /// <summary>0 is no limit. Requests are spread evenly, so a second has no more than its share.</summary>
    public int RequestsPerMinute { get; init; }

    /// <summary>Input and output together; 0 is no limit.</summary>
    public int TokensPerMinute { get; init; }

    /// <summary>Most requests that wait for a reply at the same time, over all workers.</summary>
    public int Concurrency { get; init; } = 16;

    /// <summary>How long one attempt may take.</summary>
    public double TimeoutSeconds { get; init; } = 60;

    /// <summary>Most attempts per request; an answered request is never sent again.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>US dollars per million input tokens.</summary>
    public decimal InputPrice { get; init; }

    /// <summary>US dollars per million output tokens.</summary>
    public decimal OutputPrice { get; init; }

    /// <summary>What a call costs, in US dollars.</summary>
    public decimal CostOf(long inputTokens, long outputTokens) => (inputTokens * InputPrice + outputTokens * OutputPrice) / 1_000_000;

    public IEnumerable<string> Problems(string key)
    {
        if (RequestsPerMinute < 0 || TokensPerMinute < 0)
        {
            yield return $"{key}.calls: requestsPerMinute and tokensPerMinute must be 0 (no limit) or more";
        }

        if (Concurrency < 1 || Attempts < 1 || TimeoutSeconds is not (> 0 and <= 3600))
        {
            yield return $"{key}.calls: expected concurrency and attempts of 1 or more, and timeoutSeconds above 0 and at most 3600";
        }

        if (InputPrice < 0 || OutputPrice < 0)
        {
            yield return $"{key}.calls: prices must not be negative";
        }
    }
}
