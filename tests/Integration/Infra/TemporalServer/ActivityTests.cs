using Temporalio.Api.WorkflowService.V1;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class ActivityTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task History_says_when_a_worker_took_an_activity_and_not_when_the_event_was_written()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), worker.ScheduleActivity("one"));
        var activity = await worker.ActivityTaskAsync();
        await worker.CompleteAsync(activity, "done");

        var events = await worker.HistoryAsync();
        var started = Assert.Single(events, e => e.ActivityTaskStartedEventAttributes is not null);
        var completed = Assert.Single(events, e => e.ActivityTaskCompletedEventAttributes is not null);
        Assert.Equal(activity.StartedTime, started.EventTime);
        Assert.True(started.EventTime.ToDateTime() < completed.EventTime.ToDateTime());
    }
}
