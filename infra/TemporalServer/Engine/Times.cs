using Google.Protobuf.WellKnownTypes;

namespace TemporalServer.Engine;

/// <summary>Small arithmetic on protobuf times, where unset and zero durations both mean "no limit".</summary>
internal static class Times
{
    public static bool IsSet(this Duration? duration) => duration is { } d && (d.Seconds > 0 || d.Nanos > 0);

    public static TimeSpan OrZero(this Duration? duration) => duration?.ToTimeSpan() ?? TimeSpan.Zero;

    /// <summary>The moment a limit is reached, or null where there is no limit.</summary>
    public static DateTime? After(this Duration? limit, Timestamp? start) =>
        limit.IsSet() && start is not null ? start.ToDateTime() + limit!.ToTimeSpan() : null;

    public static DateTime? Earlier(DateTime? a, DateTime? b) => a is null ? b : b is null || a < b ? a : b;

    public static Duration? Shorter(Duration? a, Duration? b) =>
        !a.IsSet() ? b : !b.IsSet() || a!.ToTimeSpan() < b!.ToTimeSpan() ? a : b;

    public static Timestamp ToTimestamp(this DateTime time) => Timestamp.FromDateTime(time);
}
