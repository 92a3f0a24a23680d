namespace Alt.Infra.Calls;

/// <summary>How a request ended.</summary>
public abstract record CallOutcome
{
    private CallOutcome() { }

    /// <summary>The service replied with success. Its parser decides whether the body is what was asked for.</summary>
    /// <param name="Body">As it came, without the key if the service repeated it.</param>
    /// <param name="Cost">In US dollars; 0 for a reply that another sample has paid for.</param>
    /// <param name="Attempts">How often the request was sent; 0 for a reply that another sample asked for.</param>
    /// <param name="Cached">
    /// Another sample asked before. The same sample, asking again, gets the cost and the attempts of the first time.
    /// </param>
    /// <param name="At">When the service replied.</param>
    public sealed record Answered(
        string Body, int InputTokens, int OutputTokens, decimal Cost, int Attempts, bool Cached, DateTimeOffset At) : CallOutcome;

    /// <summary>There is no reply; asking again later may bring one.</summary>
    /// <param name="Reason">One line, without the key and without texts of the request or the reply.</param>
    public sealed record Failed(CallFailure Kind, string Reason, int Attempts) : CallOutcome;

    /// <summary>Not sent: it could have passed a limit of the run's budget.</summary>
    /// <param name="Reason">How much of the limit is spent, and how much the call needs.</param>
    public sealed record OverBudget(BudgetLimit Limit, string Reason) : CallOutcome;
}

/// <summary>The limits of a <see cref="Domain.BudgetConfig"/>.</summary>
public enum BudgetLimit { Run, Iteration, RunTokens, IterationTokens }

public enum CallFailure
{
    /// <summary>429 each time.</summary>
    RateLimited,

    /// <summary>A status of 500 or more each time.</summary>
    ServerError,

    /// <summary>No status line within the time for one attempt, each time.</summary>
    Timeout,

    /// <summary>No connection, or none that lasted until the status line.</summary>
    Connection,

    /// <summary>Success, but the body broke off. The call is billed, so it is not retried automatically.</summary>
    CutOff,

    /// <summary>Another status of 300 to 499: a retry would be refused again.</summary>
    Refused,

    /// <summary>The service failed for nearly all calls, so calls were paused, repeatedly.</summary>
    BreakerOpen,
}
