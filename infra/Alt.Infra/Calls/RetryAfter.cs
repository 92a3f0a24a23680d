using System.Globalization;
using System.Net.Http.Headers;

namespace Alt.Infra.Calls;

/// <summary>The header of that name: seconds, or an HTTP date.</summary>
internal static class RetryAfter
{
    /// <returns>Zero for a date in the past; null if the header is missing or is neither.</returns>
    public static TimeSpan? Parse(string? header, DateTimeOffset now)
    {
        if (header is null)
        {
            return null;
        }

        // HTTP has whole seconds; some services send fractions.
        if (double.TryParse(header, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            && seconds < TimeSpan.MaxValue.TotalSeconds)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        return RetryConditionHeaderValue.TryParse(header, out var value) && value.Date is { } date
            ? date > now ? date - now : TimeSpan.Zero
            : null;
    }
}
