using System.Globalization;

namespace TemporalServer.Grpc;

/// <summary>What a call knows beside its request.</summary>
/// <param name="Deadline">When the caller gives up.</param>
/// <param name="Cancelled">The caller is gone, or the server ends.</param>
internal sealed record CallContext(DateTimeOffset Deadline, CancellationToken Cancelled)
{
    // A call without a deadline of its own gets the longest that a long poll may take.
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(61);

    // An answer has to be on its way before the caller's clock runs out.
    private static readonly TimeSpan AnswerMargin = TimeSpan.FromSeconds(1);

    public static CallContext From(string? grpcTimeout, DateTimeOffset now, CancellationToken cancelled) =>
        new(now + (ParseTimeout(grpcTimeout) ?? DefaultTimeout), cancelled);

    /// <summary>A token that ends a long poll: in time before the deadline, at the latest after <paramref name="longest"/>, or with the call.</summary>
    public CancellationTokenSource LongPoll(TimeSpan longest, DateTimeOffset now)
    {
        TimeSpan left = Deadline - now - AnswerMargin;
        var source = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        source.CancelAfter(left < TimeSpan.Zero ? TimeSpan.Zero : left < longest ? left : longest);
        return source;
    }

    private static TimeSpan? ParseTimeout(string? text)
    {
        if (text is not { Length: > 1 } || !long.TryParse(text.AsSpan(0, text.Length - 1), CultureInfo.InvariantCulture, out long value))
        {
            return null;
        }

        const long Longest = 100_000_000;
        value = Math.Min(value, Longest);
        return text[^1] switch
        {
            'H' => TimeSpan.FromHours(Math.Min(value, 10_000)),
            'M' => TimeSpan.FromMinutes(Math.Min(value, 1_000_000)),
            'S' => TimeSpan.FromSeconds(value),
            'm' => TimeSpan.FromMilliseconds(value),
            'u' => TimeSpan.FromMicroseconds(value),
            'n' => TimeSpan.FromMicroseconds(value / 1000.0),
            _ => null,
        };
    }
}
