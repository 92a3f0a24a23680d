using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>What cancellation does to activities, timers, children and the workflow itself.</summary>
public sealed class CancellationTests
{
    [Fact]
    public async Task A_cancelled_workflow_can_clean_up_before_it_ends_as_cancelled()
    {
        var script = HistoryScript.Of<CleansUp>();
        script.RunTask();

        script.RequestCancel();
        var cleanup = script.RunTask();
        Assert.Equal([CommandType.CancelTimer, CommandType.ScheduleActivityTask], cleanup.Select(command => command.CommandType));
        script.CompleteActivity("1", null);

        Assert.Equal(CommandType.CancelWorkflowExecution, Assert.Single(script.RunTask()).CommandType);
        await script.ReplayAsync();
    }

    [Theory]
    [InlineData(ActivityCancellationType.TryCancel)]
    [InlineData(ActivityCancellationType.Abandon)]
    public async Task Try_cancel_and_abandon_do_not_wait_for_the_activity(ActivityCancellationType type)
    {
        var script = HistoryScript.Of<CancelsActivity>(type);
        script.RunTask();

        script.FireTimer("1");
        var commands = script.RunTask().Select(command => command.CommandType);

        Assert.Equal(type == ActivityCancellationType.TryCancel ? [CommandType.RequestCancelActivityTask, CommandType.CompleteWorkflowExecution] : [CommandType.CompleteWorkflowExecution], commands);
        Assert.Equal("cancelled", script.Result<string>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task Wait_cancellation_completed_waits_for_the_activity_s_own_end()
    {
        var script = HistoryScript.Of<CancelsActivity>(ActivityCancellationType.WaitCancellationCompleted);
        script.RunTask();
        script.FireTimer("1");
        Assert.Equal(CommandType.RequestCancelActivityTask, Assert.Single(script.RunTask()).CommandType);

        script.CompleteActivity("1", "finished all the same");
        script.RunTask();

        Assert.Equal("finished all the same", script.Result<string>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task Wait_cancellation_completed_takes_the_activity_s_cancellation()
    {
        var script = HistoryScript.Of<CancelsActivity>(ActivityCancellationType.WaitCancellationCompleted);
        script.RunTask();
        script.FireTimer("1");
        script.RunTask();

        script.CancelActivity("1");
        script.RunTask();

        Assert.Equal("cancelled", script.Result<string>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task An_activity_that_is_cancelled_in_the_task_that_schedules_it_never_was()
    {
        var script = HistoryScript.Of<CancelsAtOnce>();

        Assert.Equal(CommandType.CompleteWorkflowExecution, Assert.Single(script.RunTask()).CommandType);
        await script.ReplayAsync();
    }

    [Fact]
    public async Task A_cancelled_parent_asks_its_child_to_cancel_and_waits()
    {
        var script = HistoryScript.Of<WorkflowExecutionTests.Parent>();
        script.RunTask();
        script.StartChild("child-1");
        script.RunTask();

        script.RequestCancel();
        Assert.Equal(CommandType.RequestCancelExternalWorkflowExecution, Assert.Single(script.RunTask()).CommandType);
        script.CompleteChild("child-1", "refused");
        script.RunTask();

        Assert.Equal("refused", script.Result<string>());
        await script.ReplayAsync();
    }

    [Workflow]
    public class CleansUp
    {
        [WorkflowRun]
        public async Task RunAsync()
        {
            try
            {
                await Workflow.DelayAsync(TimeSpan.FromHours(1));
            }
            finally
            {
                // The workflow's own token is cancelled; the cleanup must not be.
                await Workflow.ExecuteActivityAsync("CleanUp", [], new() { StartToCloseTimeout = TimeSpan.FromMinutes(1), CancellationToken = CancellationToken.None });
            }
        }
    }

    [Workflow]
    public class CancelsActivity
    {
        [WorkflowRun]
        public async Task<string> RunAsync(ActivityCancellationType type)
        {
            using var stop = new CancellationTokenSource();
            var activity = Workflow.ExecuteActivityAsync<string>(
                "Slow", [], new() { StartToCloseTimeout = TimeSpan.FromMinutes(1), CancellationType = type, CancellationToken = stop.Token });
            await Workflow.DelayAsync(1000);
            stop.Cancel();
            try
            {
                return await activity;
            }
            catch (ActivityFailureException e) when (TemporalException.IsCanceledException(e))
            {
                return "cancelled";
            }
        }
    }

    [Workflow]
    public class CancelsAtOnce
    {
        [WorkflowRun]
        public async Task RunAsync()
        {
            using var stop = new CancellationTokenSource();
            var activity = Workflow.ExecuteActivityAsync("Slow", [], new() { StartToCloseTimeout = TimeSpan.FromMinutes(1), CancellationToken = stop.Token });
            stop.Cancel();
            await Assert.ThrowsAsync<ActivityFailureException>(() => activity);
        }
    }
}
