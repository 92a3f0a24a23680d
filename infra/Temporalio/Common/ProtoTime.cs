using Google.Protobuf.WellKnownTypes;

namespace Temporalio.Common;

/// <summary>Between optional time spans and the wire's durations, where absent and zero mean the same.</summary>
internal static class ProtoTime
{
    public static Duration? ToProto(this TimeSpan? span) => span is { } value ? Duration.FromTimeSpan(value) : null;

    public static TimeSpan? ToOptionalTimeSpan(this Duration? duration) =>
        duration is null || (duration.Seconds == 0 && duration.Nanos == 0) ? null : duration.ToTimeSpan();

    public static string? NullIfEmpty(this string text) => text.Length == 0 ? null : text;
}
