using Alt.Infra.Calls;

namespace Alt.Tests.Infra.Calls;

public sealed class RetryAfterTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("3", 3.0)]
    [InlineData("0", 0.0)]
    [InlineData("0.25", .25)]
    [InlineData("Thu, 01 Jan 2026 12:01:30 GMT", 90.0)]
    [InlineData("Thu, 01 Jan 2026 11:00:00 GMT", 0.0)]
    [InlineData("soon", null)]
    [InlineData("-1", null)]
    [InlineData(null, null)]
    public void Seconds_and_dates_are_understood(string? header, double? seconds) =>
        Assert.Equal(seconds is { } s ? TimeSpan.FromSeconds(s) : null, RetryAfter.Parse(header, Now));
}
