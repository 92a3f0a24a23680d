namespace Alt.Infra.Calls;

/// <summary>
/// When the next request to a limited service may be sent, by the generic cell rate algorithm without bursts: each request takes a slot as
/// long as its share of a minute, and slots follow each other.
/// </summary>
/// <remarks>
/// Slots are a hundredth longer than the quota's. N + 1 requests then take 60.6 s of slots: they fall into one window of 60 s only if
/// sending is uneven by more than .6 s.
/// </remarks>
internal static class SlotSchedule
{
    /// <summary>Slots are given out this long ahead: a killed worker wastes no more than these.</summary>
    public static readonly TimeSpan Horizon = TimeSpan.FromMilliseconds(200);

    /// <summary>A slot missed by more than this is not used, since the next ones may be used in time.</summary>
    public static readonly TimeSpan Lateness = TimeSpan.FromMilliseconds(400);

    private const double Share = .99;

    /// <summary>How much of a limit this amount uses.</summary>
    /// <param name="perMinute">0 is no limit.</param>
    public static TimeSpan Length(long amount, int perMinute) =>
        perMinute == 0 ? TimeSpan.Zero : TimeSpan.FromTicks((long)Math.Ceiling(amount * TimeSpan.TicksPerMinute / (Share * perMinute)));

    /// <summary>The first moment at which every limit has a slot.</summary>
    /// <param name="free">When each limit's next slot begins.</param>
    public static DateTime Next(DateTime now, params ReadOnlySpan<DateTime> free)
    {
        foreach (var slot in free)
        {
            now = slot > now ? slot : now;
        }

        return now;
    }
}
