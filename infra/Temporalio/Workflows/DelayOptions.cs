namespace Temporalio.Workflows;

/// <summary>Options of a timer.</summary>
public class DelayOptions : ICloneable
{
    /// <summary>A timer of this length.</summary>
    public DelayOptions(TimeSpan delay, string? summary = null, CancellationToken? cancellationToken = null) =>
        (Delay, Summary, CancellationToken) = (delay, summary, cancellationToken);

    /// <summary>Length; zero is taken as 1 ms, <see cref="Timeout.InfiniteTimeSpan"/> never ends.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>One line about the timer, for the UI.</summary>
    public string? Summary { get; set; }

    /// <summary>Cancels the timer. Default: the workflow's token.</summary>
    public CancellationToken? CancellationToken { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}

/// <summary>Options of a wait for a condition.</summary>
public class WaitConditionOptions : ICloneable
{
    /// <summary>A wait for this condition.</summary>
    public WaitConditionOptions(
        Func<bool> conditionCheck, TimeSpan? timeout = null, string? timeoutSummary = null, CancellationToken? cancellationToken = null)
    {
        ConditionCheck = conditionCheck;
        Timeout = timeout;
        TimeoutSummary = timeoutSummary;
        CancellationToken = cancellationToken;
    }

    /// <summary>The condition; must not change anything.</summary>
    public Func<bool> ConditionCheck { get; set; }

    /// <summary>Longest wait; null waits for ever.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>One line about the timeout's timer, for the UI.</summary>
    public string? TimeoutSummary { get; set; }

    /// <summary>Cancels the wait. Default: the workflow's token.</summary>
    public CancellationToken? CancellationToken { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}
