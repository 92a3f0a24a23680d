namespace Alt.Domain;

/// <summary>What a run may spend on judges. 0 is no limit. A run that would pass a limit is paused before it does.</summary>
public sealed record BudgetConfig
{
    /// <summary>US dollars over the whole run.</summary>
    public decimal Run { get; init; }

    /// <summary>US dollars in any one iteration.</summary>
    public decimal Iteration { get; init; }

    /// <summary>Input and output tokens over the whole run.</summary>
    public long RunTokens { get; init; }

    /// <summary>Input and output tokens in any one iteration.</summary>
    public long IterationTokens { get; init; }
}
