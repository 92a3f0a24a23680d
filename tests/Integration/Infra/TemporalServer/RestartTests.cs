using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class RestartTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    [Fact]
    public async Task A_task_that_was_taken_before_the_server_was_killed_can_be_answered_after_it()
    {
        var worker = new HandWorker(server.Client);
        // The next server has to be up before the task's time is over.
        await worker.StartAsync(r => r.WorkflowTaskTimeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(2)));
        var task = await worker.WorkflowTaskAsync();
        await worker.SignalAsync("waits-for-the-task");
        await server.KillAsync();

        await worker.AnswerAsync(task, HandWorker.StartTimer("later", TimeSpan.FromHours(1)));

        Assert.Equal(
            [
                EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted,
                EventType.WorkflowTaskCompleted, EventType.TimerStarted, EventType.WorkflowExecutionSignaled,
                EventType.WorkflowTaskScheduled,
            ],
            await worker.EventsAsync());
    }

    [Fact]
    public async Task Attempts_and_heartbeat_details_survive_a_restart()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), worker.ScheduleActivity("a"));
        var first = await worker.ActivityTaskAsync();
        await worker.HeartbeatAsync(first, "half");
        await worker.FailAsync(first, "first attempt");
        await server.KillAsync();

        var second = await worker.ActivityTaskAsync();

        Assert.Equal(2, second.Attempt);
        Assert.Equal(HandWorker.Text("half"), second.HeartbeatDetails);
    }

    [Fact]
    public async Task A_timer_that_fell_due_while_the_server_was_away_fires()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), HandWorker.StartTimer("soon", TimeSpan.FromMilliseconds(50)));
        await server.KillAsync();

        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), HandWorker.Complete());

        Assert.Equal(WorkflowExecutionStatus.Completed, await worker.StatusAsync());
    }

    [Fact]
    public async Task Request_ids_are_known_after_a_restart()
    {
        var worker = new HandWorker(server.Client);
        var first = await worker.StartAsync(r => r.RequestId = "the-same");
        await worker.SignalAsync("once", "signal-1");
        await server.KillAsync();

        var again = await worker.StartAsync(r => r.RequestId = "the-same");
        await worker.SignalAsync("once", "signal-1");

        Assert.Equal(first.RunId, again.RunId);
        Assert.Equal(1, (await worker.EventsAsync()).Count(e => e == EventType.WorkflowExecutionSignaled));
    }
}
