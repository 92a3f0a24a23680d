using Alt.Infra.Calls;
using FsCheck;
using FsCheck.Fluent;

namespace Alt.Tests.Infra.Calls;

public sealed class SlotScheduleTests
{
    private static readonly DateTime Start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    /// <summary>Quotas, and when calls come after each other and how late each is sent, in milliseconds.</summary>
    private static Arbitrary<(int PerMinute, (int After, int Late)[] Calls)> Traffic() => Arb.From(
        from perMinute in Gen.OneOf(Gen.Choose(1, 20), Gen.Choose(1, 30_000))
        from busy in Gen.Choose(1, 20)
        from calls in Gen.Zip(
            Gen.Frequency((busy, Gen.Constant(0)), (1, Gen.Choose(0, 5_000))),
            Gen.Choose(0, (int)SlotSchedule.Lateness.TotalMilliseconds)).ArrayOf(2_000)
        select (perMinute, calls));

    [Fact]
    public void No_window_of_a_minute_holds_more_than_the_quota_however_calls_come_and_as_late_as_they_may_be_sent() =>
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Traffic(), t =>
        {
            var sent = Send(t.PerMinute, t.Calls);
            var first = 0;
            for (var last = 0; last < sent.Length; last++)
            {
                while (sent[last] - sent[first] >= Window)
                {
                    first++;
                }

                if (last - first + 1 > t.PerMinute)
                {
                    return false;
                }
            }

            return true;
        }));

    [Theory]
    [InlineData(10)]
    [InlineData(600)]
    [InlineData(24_000)]
    [InlineData(1_000_000)]
    public void A_caller_that_always_has_requests_to_send_uses_98_percent_of_the_quota(int perMinute)
    {
        var sent = Send(perMinute, [.. Enumerable.Repeat((0, 0), 3 * perMinute)]);
        Assert.True(sent.Count(s => s - Start < 2 * Window) >= .98 * 2 * perMinute);
    }

    [Fact]
    public void Without_a_limit_there_is_no_wait()
    {
        Assert.Equal(TimeSpan.Zero, SlotSchedule.Length(1_000, perMinute: 0));
        Assert.Equal(Start, SlotSchedule.Next(Start, DateTime.UnixEpoch, DateTime.UnixEpoch));
    }

    private static DateTime[] Send(int perMinute, (int After, int Late)[] calls)
    {
        var (now, free, sent) = (Start, DateTime.UnixEpoch, new List<DateTime>());
        foreach (var (after, late) in calls)
        {
            now += TimeSpan.FromMilliseconds(after);
            var slot = SlotSchedule.Next(now, free);
            free = slot + SlotSchedule.Length(1, perMinute);
            sent.Add(slot + TimeSpan.FromMilliseconds(late));
        }

        return [.. sent.Order()];
    }
}
