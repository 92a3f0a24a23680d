namespace Alt.Domain;

/// <summary>Why a run waits for a person; it has not failed.</summary>
/// <param name="Reason">One line for the user that says what is wrong. What to do follows from the kind.</param>
public sealed record Hold(HoldKind Kind, string Reason);

public enum HoldKind
{
    /// <summary>The samples wait for labels by people.</summary>
    Labels,

    /// <summary>Too many samples are in quarantine.</summary>
    Quarantine,

    /// <summary>Money that the run may spend.</summary>
    RunBudget,

    /// <summary>Money that an iteration may spend.</summary>
    IterationBudget,

    /// <summary>Tokens that the run may spend.</summary>
    RunTokens,

    /// <summary>Tokens that an iteration may spend.</summary>
    IterationTokens,
}
