using Grpc.Core;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class LimitTests(LimitTests.SmallServer server) : IClassFixture<LimitTests.SmallServer>
{
    private static readonly string Large = new('x', 600);

    /// <summary>A server with low limits for each workflow.</summary>
    public sealed class SmallServer : ServerFixture
    {
        protected override ServerLimits Limits =>
            new() { HistoryEvents = 12, PayloadBytes = 500, Pending = 2, Signals = 2, OpenUpdates = 1 };
    }

    [Fact]
    public async Task A_history_that_grows_too_long_ends_its_run()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await worker.AnswerAsync(await worker.WorkflowTaskAsync(), r => r.ForceCreateNewWorkflowTask = true);
        }

        var task = await worker.WorkflowTaskAsync();
        var refused = await Assert.ThrowsAsync<RpcException>(() =>
            worker.AnswerAsync(task, r => r.ForceCreateNewWorkflowTask = true));

        Assert.Equal("InvalidArgument: Workflow history count exceeds limit.", refused.Text());
        Assert.Equal(
            "Workflow history count exceeds limit.",
            (await worker.HistoryAsync())[^1].WorkflowExecutionTerminatedEventAttributes.Reason);
    }

    [Fact]
    public async Task Inputs_that_are_too_large_are_refused()
    {
        var worker = new HandWorker(server.Client);
        var start = await Assert.ThrowsAsync<RpcException>(() => worker.StartAsync(r => r.Input = HandWorker.Text(Large)));
        await worker.StartAsync();
        var signal = await Assert.ThrowsAsync<RpcException>(() => server.Client.CallAsync<SignalWorkflowExecutionResponse>(
            new SignalWorkflowExecutionRequest
            {
                Namespace = "default",
                WorkflowExecution = worker.Execution,
                SignalName = "s",
                Input = HandWorker.Text(Large)
            }));

        Assert.Equal("InvalidArgument: Blob data size exceeds limit.", start.Text());
        Assert.Equal("InvalidArgument: Blob data size exceeds limit.", signal.Text());
    }

    [Fact]
    public async Task A_command_with_too_large_an_input_ends_the_run()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        var task = await worker.WorkflowTaskAsync();

        var refused = await Assert.ThrowsAsync<RpcException>(
            () => worker.AnswerAsync(task, worker.ScheduleActivity("a", a => a.Input = HandWorker.Text(Large))));

        const string Reason = "BadScheduleActivityAttributes: ScheduleActivityTaskCommandAttributes.Input exceeds size limit.";
        Assert.Equal($"InvalidArgument: {Reason}", refused.Text());
        Assert.Equal(
            [EventType.WorkflowTaskFailed, EventType.WorkflowExecutionTerminated], (await worker.EventsAsync()).TakeLast(2));
        Assert.Equal(Reason, (await worker.HistoryAsync())[^1].WorkflowExecutionTerminatedEventAttributes.Reason);
    }

    [Fact]
    public async Task An_activity_result_that_is_too_large_fails_the_activity_for_good()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), worker.ScheduleActivity("a"));

        await worker.CompleteAsync(await worker.ActivityTaskAsync(), Large);

        var failed = (await worker.HistoryAsync())
            .Single(e => e.EventType == EventType.ActivityTaskFailed).ActivityTaskFailedEventAttributes;
        Assert.Equal("Complete result exceeds size limit.", failed.Failure.Message);
        Assert.Equal((true, RetryState.NonRetryableFailure), (failed.Failure.ServerFailureInfo.NonRetryable, failed.RetryState));
    }

    [Fact]
    public async Task More_open_activities_than_allowed_fail_the_workflow_task_only()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        var task = await worker.WorkflowTaskAsync();
        Command[] commands = [.. Enumerable.Range(0, 3).Select(i => worker.ScheduleActivity($"a{i}"))];

        var refused = await Assert.ThrowsAsync<RpcException>(() => worker.AnswerAsync(task, commands));
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), commands[..2]);

        Assert.Equal(
            "InvalidArgument: PendingActivitiesLimitExceeded: the number of pending activities, 2, has reached the per-workflow limit of 2",
            refused.Text());
        var failure = (await worker.HistoryAsync())
            .Single(e => e.EventType == EventType.WorkflowTaskFailed).WorkflowTaskFailedEventAttributes.Failure;
        Assert.Equal(refused.Status.Detail, failure.Message);
        Assert.Equal(WorkflowExecutionStatus.Running, await worker.StatusAsync());
    }

    [Fact]
    public async Task Signals_and_open_updates_are_counted()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        for (var i = 0; i < 2; i++)
        {
            await worker.SignalAsync("s");
        }

        var signal = await Assert.ThrowsAsync<RpcException>(() => worker.SignalAsync("s"));
        var task = await worker.WorkflowTaskAsync();
        await worker.UpdateAsync("u", "u1", UpdateWorkflowExecutionLifecycleStage.Admitted);
        var update = await Assert.ThrowsAsync<RpcException>(() => worker.UpdateAsync("u", "u2"));
        await worker.AnswerAsync(task);
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), r => r.Messages.Add(HandWorker.UpdateAnswers("u1")));
        var next = await worker.UpdateAsync("u", "u2", UpdateWorkflowExecutionLifecycleStage.Admitted);

        Assert.Equal("InvalidArgument: exceeded workflow execution limit for signal events", signal.Text());
        Assert.Equal("ResourceExhausted: limit on number of concurrent in-flight updates has been reached (1)", update.Text());
        Assert.Equal(UpdateWorkflowExecutionLifecycleStage.Admitted, next.Stage);
    }
}
