using Grpc.Core;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class ResetTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task A_reset_run_begins_with_the_old_events_and_gets_later_signals_again()
    {
        var worker = new HandWorker(server.Client);
        var first = await worker.StartAsync();
        await worker.AnswerAsync(
            await worker.WorkflowTaskAsync(), worker.ScheduleActivity("a"), HandWorker.StartTimer("t", TimeSpan.FromHours(1)));
        await worker.CompleteAsync(await worker.ActivityTaskAsync(), "done");
        var second = await worker.WorkflowTaskAsync();
        await worker.SignalAsync("while the task was away");
        await worker.AnswerAsync(second);
        var cut = second.StartedEventId + 1;

        var runId = await ResetAsync(worker, cut);

        IReadOnlyList<HistoryEvent> before = await worker.HistoryAsync(first.RunId), after = await worker.HistoryAsync(runId);
        Assert.Equal(before.Take((int)cut - 1), after.Take((int)cut - 1));
        Assert.Equal(
            [EventType.WorkflowTaskFailed, EventType.WorkflowExecutionSignaled, EventType.WorkflowTaskScheduled],
            after.Skip((int)cut - 1).Select(e => e.EventType));
        var failed = after[(int)cut - 1].WorkflowTaskFailedEventAttributes;
        Assert.Equal((WorkflowTaskFailedCause.ResetWorkflow, first.RunId, runId), (failed.Cause, failed.BaseRunId, failed.NewRunId));
        Assert.Equal(WorkflowExecutionStatus.Terminated, await worker.StatusAsync(first.RunId));
        Assert.Equal(runId, (await worker.DescribeAsync(first.RunId)).WorkflowExtendedInfo.ResetRunId);
    }

    [Fact]
    public async Task An_activity_that_was_open_at_the_cut_is_offered_again()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), worker.ScheduleActivity("open"));
        var old = await worker.ActivityTaskAsync();
        await worker.SignalAsync("wake");
        var second = await worker.WorkflowTaskAsync();

        await ResetAsync(worker, second.StartedEventId);

        var again = await worker.ActivityTaskAsync();
        Assert.Equal("open", again.ActivityId);
        var late = await Assert.ThrowsAsync<RpcException>(() => worker.CompleteAsync(old, "late"));
        Assert.Equal(StatusCode.NotFound, late.StatusCode);
        await worker.CompleteAsync(again, "done");
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), HandWorker.Complete());
        Assert.Equal(WorkflowExecutionStatus.Completed, await worker.StatusAsync());
    }

    [Fact]
    public async Task A_closed_run_can_be_reset_and_excluded_signals_stay_away()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        var first = await worker.WorkflowTaskAsync();
        await worker.AnswerAsync(first);
        await worker.SignalAsync("unwanted");
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), HandWorker.Complete());

        await ResetAsync(worker, first.StartedEventId + 1, r => r.ResetReapplyExcludeTypes.Add(ResetReapplyExcludeType.Signal));

        Assert.Equal(WorkflowExecutionStatus.Running, await worker.StatusAsync());
        Assert.DoesNotContain(EventType.WorkflowExecutionSignaled, await worker.EventsAsync());
    }

    [Fact]
    public async Task A_later_update_is_admitted_again_and_can_be_awaited_in_the_new_run()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        var first = await worker.WorkflowTaskAsync();
        await worker.AnswerAsync(first);
        var update = worker.UpdateAsync("change", "u1");
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), r => r.Messages.Add(HandWorker.UpdateAnswers("u1")));
        Assert.NotNull((await update).Outcome);

        var runId = await ResetAsync(worker, first.StartedEventId + 1);
        var task = await worker.WorkflowTaskAsync();
        var admitted = Assert.Single(task.History.Events, e => e.EventType == EventType.WorkflowExecutionUpdateAdmitted);
        Assert.Empty(task.Messages);
        var waiting = server.Client.CallAsync<PollWorkflowExecutionUpdateResponse>(
            new PollWorkflowExecutionUpdateRequest
            {
                Namespace = "default",
                UpdateRef = new() { WorkflowExecution = new() { WorkflowId = worker.WorkflowId, RunId = runId }, UpdateId = "u1" },
                WaitPolicy = new() { LifecycleStage = UpdateWorkflowExecutionLifecycleStage.Completed },
            });
        await worker.AnswerAsync(task, r => r.Messages.Add(HandWorker.UpdateAnswers("u1")));

        Assert.Equal("change", admitted.WorkflowExecutionUpdateAdmittedEventAttributes.Request.Input.Name);
        Assert.Equal(UpdateWorkflowExecutionLifecycleStage.Completed, (await waiting).Stage);
        Assert.Null((await worker.HistoryAsync()).Single(e => e.EventType == EventType.WorkflowExecutionUpdateAccepted)
            .WorkflowExecutionUpdateAcceptedEventAttributes.AcceptedRequest);
    }

    [Fact]
    public async Task A_child_that_runs_at_the_cut_reports_to_the_new_run()
    {
        var parent = new HandWorker(server.Client);
        var child = parent.Child();
        await parent.StartAsync();
        await parent.AnswerAsync(await parent.WorkflowTaskAsync(), parent.StartChild(child));
        var childTask = await child.WorkflowTaskAsync();
        var started = await parent.WorkflowTaskAsync();

        await ResetAsync(parent, started.StartedEventId);
        await child.AnswerAsync(childTask, HandWorker.Complete());

        await parent.AnswerAsync(await parent.WorkflowTaskAsync());
        await Wait.ForAsync(
            async () => (await parent.EventsAsync()).Contains(EventType.ChildWorkflowExecutionCompleted),
            "the child's end in its parent's history");
    }

    [Fact]
    public async Task A_repeated_reset_gives_the_same_run_and_a_wrong_cut_is_refused()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        var first = await worker.WorkflowTaskAsync();
        await worker.AnswerAsync(first, HandWorker.StartTimer("t", TimeSpan.FromHours(1)));

        var outside = await Assert.ThrowsAsync<RpcException>(() => ResetAsync(worker, 100));
        var between = await Assert.ThrowsAsync<RpcException>(() => ResetAsync(worker, 5));
        string once = await ResetAsync(worker, 4, r => r.RequestId = "same"), twice = await ResetAsync(worker, 4, r =>
            r.RequestId = "same");

        Assert.Equal("InvalidArgument: Workflow task finish ID must be > 1 && <= workflow last event ID.", outside.Text());
        Assert.Equal(
            "InvalidArgument: Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: 5",
            between.Text());
        Assert.Equal(once, twice);
    }

    private async Task<string> ResetAsync(HandWorker worker, long finishEventId, Action<ResetWorkflowExecutionRequest>? change = null)
    {
        var request = new ResetWorkflowExecutionRequest
        {
            Namespace = "default",
            WorkflowExecution = worker.Execution,
            Reason = "test",
            WorkflowTaskFinishEventId = finishEventId,
            RequestId = Guid.NewGuid().ToString(),
        };
        change?.Invoke(request);
        return (await server.Client.CallAsync<ResetWorkflowExecutionResponse>(request)).RunId;
    }
}
