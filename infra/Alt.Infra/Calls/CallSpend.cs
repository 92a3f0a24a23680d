namespace Alt.Infra.Calls;

/// <summary>Money in US dollars, and input and output tokens.</summary>
public readonly record struct CallAmount(decimal Money, long Tokens)
{
    public static CallAmount operator +(CallAmount a, CallAmount b) => new(a.Money + b.Money, a.Tokens + b.Tokens);

    public static CallAmount operator -(CallAmount a, CallAmount b) => new(a.Money - b.Money, a.Tokens - b.Tokens);
}

/// <summary>What a run has spent on calls in one iteration.</summary>
/// <param name="Spent">For replies.</param>
/// <param name="Reserved">The most that calls under way may cost.</param>
/// <param name="InDoubt">
/// The most that calls without a reply may have cost, if the service may have answered and no process read the answer. If a call is made
/// again in the same iteration, its true cost replaces this.
/// </param>
public sealed record CallSpend(int Iteration, CallAmount Spent, CallAmount Reserved, CallAmount InDoubt);
