using Alt.Domain;

namespace Alt.Infra.Calls;

/// <summary>One attempt that is to be made, and what it may take.</summary>
/// <param name="Ticket">Names the attempt where the answer to a booking was lost.</param>
/// <param name="Money">The most that it may cost, in US dollars.</param>
/// <param name="Tokens">The most that it may take, input and output.</param>
internal sealed record CallAsk(
    Guid Ticket, string Account, string Hash, string Payer, CallsConfig Limits, CallScope Scope, decimal Money, long Tokens);

/// <summary>What an ask came to.</summary>
internal abstract record Booking
{
    private Booking() { }

    /// <summary>May be sent.</summary>
    /// <param name="Wait">How long from now its slot begins.</param>
    public sealed record Granted(TimeSpan Wait) : Booking;

    /// <summary>Has been answered before.</summary>
    public sealed record Known(StoredReply Reply) : Booking;

    public sealed record OverBudget(BudgetLimit Limit, string Reason) : Booking;

    /// <summary>Not now, and nobody else of this account: its next slot is too far away.</summary>
    /// <param name="Wait">When to ask again.</param>
    public sealed record NoSlot(TimeSpan Wait) : Booking;

    /// <summary>Not before a call that is under way has ended: too many are, or they may use the budget up.</summary>
    public sealed record Full : Booking;

    /// <summary>Others are first.</summary>
    public sealed record NotYet : Booking;

    /// <summary>Somebody else asks for the same right now.</summary>
    public sealed record Elsewhere : Booking;
}

/// <summary>How an attempt ended, for the books.</summary>
/// <param name="Reply">What it brought; null where nothing.</param>
/// <param name="InDoubt">It may have been billed though nothing came: the most that it may have cost stays spent.</param>
internal sealed record CallSettlement(CallAsk Ask, StoredReply? Reply, bool InDoubt);

/// <summary>A reply as it is kept.</summary>
internal sealed record StoredReply(
    string Hash, string Service, string Model, string Payer, string Body, int InputTokens, int OutputTokens, decimal Cost, int Attempts,
    DateTimeOffset At);
