using Alt.Domain;

namespace Alt.Infra.Calls;

/// <summary>One attempt to make, and the most that it may use.</summary>
/// <param name="Ticket">Identifies the attempt if the answer to a booking was lost.</param>
/// <param name="Money">The most that it may cost, in US dollars.</param>
/// <param name="Tokens">The most that it may use, input and output.</param>
internal sealed record CallAsk(
    Guid Ticket, string Account, string Hash, string Payer, CallsConfig Limits, CallScope Scope, decimal Money, long Tokens);

/// <summary>The result of an ask.</summary>
internal abstract record Booking
{
    private Booking() { }

    /// <summary>The attempt may be sent.</summary>
    /// <param name="Wait">How long until its slot begins.</param>
    public sealed record Granted(TimeSpan Wait) : Booking;

    /// <summary>The request has been answered before.</summary>
    public sealed record Known(StoredReply Reply) : Booking;

    public sealed record OverBudget(BudgetLimit Limit, string Reason) : Booking;

    /// <summary>Neither this nor any other ask of the account can be granted now: its next slot is too far away.</summary>
    /// <param name="Wait">When to ask again.</param>
    public sealed record NoSlot(TimeSpan Wait) : Booking;

    /// <summary>Nothing can be granted before a call under way ends: too many are under way, or they may use up the budget.</summary>
    public sealed record Full : Booking;

    /// <summary>Not granted in this batch, since other callers come first.</summary>
    public sealed record NotYet : Booking;

    /// <summary>Another caller has the same request under way.</summary>
    public sealed record Elsewhere : Booking;
}

/// <summary>How an attempt ended, for the books.</summary>
/// <param name="Reply">The reply received; null if there is none.</param>
/// <param name="InDoubt">It may have been billed without a reply: the most that it may have cost stays spent.</param>
internal sealed record CallSettlement(CallAsk Ask, StoredReply? Reply, bool InDoubt);

/// <summary>A reply as it is stored.</summary>
internal sealed record StoredReply(
    string Hash, string Service, string Model, string Payer, string Body, int InputTokens, int OutputTokens, decimal Cost, int Attempts,
    DateTimeOffset At);
