using Temporalio.Activities;
using Temporalio.Testing;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>Activities alone.</summary>
public sealed class ActivityEnvironmentTests
{
    [Fact]
    public async Task An_activity_sees_its_info_and_its_heartbeats_are_heard()
    {
        var heard = new List<object?>();
        var environment = new ActivityEnvironment
        {
            Info = ActivityEnvironment.DefaultInfo with { Attempt = 3 },
            Heartbeater = details => heard.AddRange(details),
        };

        var attempt = await environment.RunAsync(() =>
        {
            ActivityExecutionContext.Current.Heartbeat("half", 50);
            return ActivityExecutionContext.Current.Info.Attempt;
        });

        Assert.Equal(3, attempt);
        Assert.Equal(["half", 50], heard);
        Assert.False(ActivityExecutionContext.HasCurrent);
    }

    [Fact]
    public async Task Cancellation_reaches_the_activity_with_its_reason()
    {
        var environment = new ActivityEnvironment();
        var running = environment.RunAsync(async () =>
        {
            var context = ActivityExecutionContext.Current;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Timeout.Infinite, context.CancellationToken));
            return context.CancelReason;
        });

        environment.Cancel(ActivityCancelReason.Timeout);
        environment.Cancel(ActivityCancelReason.WorkerShutdown);

        Assert.Equal(ActivityCancelReason.Timeout, await running);
    }
}
