namespace Alt.Infra.Calls;

/// <summary>The callers of one account that wait, each group in the order of arrival.</summary>
internal sealed class AccountCallers
{
    public const int AsksPerBatch = 256;

    /// <summary>Callers for which the books have not been asked yet.</summary>
    public LinkedList<Caller> New { get; } = [];

    /// <summary>Callers that the books gave no slot so far.</summary>
    public LinkedList<Caller> WaitingForSlot { get; } = [];

    /// <summary>Until then no caller gets a slot, except where <see cref="Close"/> lets one follow each call that ends.</summary>
    public long ClosedUntil { get; private set; }

    /// <summary>How many calls have ended since the account was closed.</summary>
    public int EndedCalls { get; set; }

    /// <summary>Until then the account's callers are turned away.</summary>
    public long HeldBackUntil { get; set; }

    private bool OpensAsCallsEnd { get; set; }

    /// <summary>For how many callers a batch may ask for a slot now.</summary>
    public int SlotsToAskFor(long now) =>
        ClosedUntil <= now ? AsksPerBatch : OpensAsCallsEnd ? Math.Min(EndedCalls, AsksPerBatch) : 0;

    public void Close(long until, bool opensAsCallsEnd) =>
        (ClosedUntil, OpensAsCallsEnd, EndedCalls) = (until, opensAsCallsEnd, 0);

    public void KeepWaiting(Caller caller)
    {
        // Callers that were turned away or have cancelled are in no list.
        if (caller.Place?.List == New)
        {
            New.Remove(caller.Place);
            WaitingForSlot.AddLast(caller.Place);
        }
    }
}

/// <summary>One attempt that waits to be booked.</summary>
internal sealed class Caller(CallAsk ask)
{
    public CallAsk Ask { get; } = ask;

    public TaskCompletionSource<Booked?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Its place in one of the account's lists.</summary>
    public LinkedListNode<Caller>? Place { get; set; }

    /// <summary>The books are not asked again before then.</summary>
    public long NotBefore { get; set; }

    public void Leave() => Place?.List?.Remove(Place);
}

/// <param name="SendAt">When the slot begins, by <see cref="System.Diagnostics.Stopwatch"/>.</param>
internal sealed record Booked(Booking Booking, long SendAt);
