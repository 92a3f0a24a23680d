using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;
using ParentClosePolicy = Temporalio.Workflows.ParentClosePolicy;

namespace Alt.Tests.Conformance.DotNet;

/// <summary>What the official .NET worker sees of cancellations: of activities, of children, of itself.</summary>
public sealed class CancellationTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    [Theory]
    [InlineData(ActivityCancellationType.TryCancel, "cancelled")]
    [InlineData(ActivityCancellationType.Abandon, "cancelled")]
    [InlineData(ActivityCancellationType.WaitCancellationCompleted, "cleaned up after CancelRequested")]
    public async Task An_activity_is_cancelled_as_its_type_says(ActivityCancellationType type, string outcome)
    {
        await temporal.RunWorkerAsync(Configure, async queue =>
        {
            var handle = await temporal.Client.StartWorkflowAsync((Canceller w) => w.RunAsync(type), TemporalFixture.NewWorkflow(queue));
            await BeatenAsync(handle);

            await handle.CancelAsync();

            Assert.Equal(outcome, await handle.GetResultAsync());
            var types = await Histories.TypesAsync<Canceller>(handle);
            Assert.Equal(type != ActivityCancellationType.Abandon, types.Contains(EventType.ActivityTaskCancelRequested));
            Assert.Equal(type == ActivityCancellationType.WaitCancellationCompleted, types.Contains(EventType.ActivityTaskCompleted));
        });
    }

    [Theory]
    [InlineData(ChildWorkflowCancellationType.Abandon, "cancelled", WorkflowExecutionStatus.Running)]
    [InlineData(ChildWorkflowCancellationType.TryCancel, "cancelled", WorkflowExecutionStatus.Completed)]
    // Where its child returns a value after all, the official worker gives that value.
    [InlineData(ChildWorkflowCancellationType.WaitCancellationRequested, "the child returned", WorkflowExecutionStatus.Completed)]
    [InlineData(ChildWorkflowCancellationType.WaitCancellationCompleted, "the child returned", WorkflowExecutionStatus.Completed)]
    public async Task A_child_is_cancelled_as_its_type_says(ChildWorkflowCancellationType type, string outcome, WorkflowExecutionStatus end)
    {
        await temporal.RunWorkerAsync(Configure, async queue =>
        {
            var handle = await temporal.Client.StartWorkflowAsync(
                (Parent w) => w.RunAsync(new(type, ParentClosePolicy.Abandon)), TemporalFixture.NewWorkflow(queue));
            var child = await ChildAsync(handle);

            await handle.CancelAsync();

            Assert.Equal(outcome, await handle.GetResultAsync());
            await EndsAsync(child, end);
            await Histories.CheckedAsync<Parent>(handle);
            if (end == WorkflowExecutionStatus.Running)
            {
                await child.SignalAsync(w => w.EndAsync());
            }
        });
    }

    [Theory]
    [InlineData(ParentClosePolicy.Terminate, WorkflowExecutionStatus.Terminated)]
    [InlineData(ParentClosePolicy.RequestCancel, WorkflowExecutionStatus.Completed)]
    [InlineData(ParentClosePolicy.Abandon, WorkflowExecutionStatus.Running)]
    public async Task The_end_of_a_parent_does_to_its_child_what_their_policy_says(ParentClosePolicy policy, WorkflowExecutionStatus end)
    {
        await temporal.RunWorkerAsync(Configure, async queue =>
        {
            var handle = await temporal.Client.StartWorkflowAsync(
                (Parent w) => w.RunAsync(new(ChildWorkflowCancellationType.Abandon, policy)), TemporalFixture.NewWorkflow(queue));
            var child = await ChildAsync(handle);

            await handle.TerminateAsync("the test ends it");

            await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync());
            await EndsAsync(child, end);
            if (end == WorkflowExecutionStatus.Running)
            {
                await child.SignalAsync(w => w.EndAsync());
                Assert.Equal("ended", await child.GetResultAsync());
            }
        });
    }

    [Fact]
    public async Task A_workflow_that_lets_its_cancellation_through_ends_cancelled()
    {
        await temporal.RunWorkerAsync(Configure, async queue =>
        {
            var handle = await temporal.Client.StartWorkflowAsync((Sleeper w) => w.RunAsync(), TemporalFixture.NewWorkflow(queue));

            await handle.CancelAsync();

            var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync());
            Assert.IsType<CanceledFailureException>(failed.InnerException);
            Assert.Equal(WorkflowExecutionStatus.Canceled, (await handle.DescribeAsync()).Status);
            await Histories.CheckedAsync<Sleeper>(handle);
        });
    }

    private static void Configure(Temporalio.Worker.TemporalWorkerOptions options)
    {
        // A cancellation reaches an activity by its next heartbeat.
        options.MaxHeartbeatThrottleInterval = TimeSpan.FromMilliseconds(100);
        options.AddWorkflow<Canceller>().AddWorkflow<Parent>().AddWorkflow<Child>().AddWorkflow<Sleeper>().AddActivity(Beats.BeatAsync);
    }

    private static Task BeatenAsync(WorkflowHandle handle) => Wait.ForAsync(
        async () => (await Histories.PendingActivitiesAsync(handle)).Any(a => a.HeartbeatDetails is not null), "a heartbeat");

    private async Task<WorkflowHandle<Child, string>> ChildAsync(WorkflowHandle<Parent> parent)
    {
        var id = "";
        await Wait.ForAsync(async () => (id = await parent.QueryAsync(w => w.ChildId)).Length > 0, "a started child");
        return temporal.Client.GetWorkflowHandle<Child, string>(id);
    }

    private static Task EndsAsync(WorkflowHandle handle, WorkflowExecutionStatus status) =>
        Wait.ForAsync(async () => (await handle.DescribeAsync()).Status == status, $"the status {status}");

    public static class Beats
    {
        /// <summary>Sends heartbeats until it is cancelled; says why it was.</summary>
        [Activity]
        public static async Task<string> BeatAsync()
        {
            var context = ActivityExecutionContext.Current;
            using var beat = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            while (!context.CancellationToken.IsCancellationRequested)
            {
                context.Heartbeat("alive");
                await beat.WaitForNextTickAsync();
            }

            return $"cleaned up after {context.CancelReason}";
        }
    }

    [Workflow]
    public class Canceller
    {
        [WorkflowRun]
        public async Task<string> RunAsync(ActivityCancellationType type)
        {
            try
            {
                return await Workflow.ExecuteActivityAsync(() => Beats.BeatAsync(), new()
                {
                    StartToCloseTimeout = TimeSpan.FromMinutes(2),
                    HeartbeatTimeout = TimeSpan.FromSeconds(30),
                    CancellationType = type,
                });
            }
            catch (Exception e) when (TemporalException.IsCanceledException(e))
            {
                return "cancelled";
            }
        }
    }

    public sealed record ChildPlan(ChildWorkflowCancellationType Cancellation, ParentClosePolicy Close);

    [Workflow]
    public class Parent
    {
        [WorkflowQuery]
        public string ChildId { get; private set; } = "";

        [WorkflowRun]
        public async Task<string> RunAsync(ChildPlan plan)
        {
            try
            {
                var child = await Workflow.StartChildWorkflowAsync(
                    (Child w) => w.RunAsync(), new() { CancellationType = plan.Cancellation, ParentClosePolicy = plan.Close });
                ChildId = child.Id;
                return $"the child {await child.GetResultAsync()}";
            }
            catch (Exception e) when (TemporalException.IsCanceledException(e))
            {
                return "cancelled";
            }
        }
    }

    /// <summary>Ends by a signal, or by returning a value where it is cancelled.</summary>
    [Workflow]
    public class Child
    {
        private bool _ended;

        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            try
            {
                await Workflow.WaitConditionAsync(() => _ended);
                return "ended";
            }
            catch (Exception e) when (TemporalException.IsCanceledException(e))
            {
                return "returned";
            }
        }

        [WorkflowSignal]
        public Task EndAsync()
        {
            _ended = true;
            return Task.CompletedTask;
        }
    }

    [Workflow]
    public class Sleeper
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.DelayAsync(TimeSpan.FromHours(1));
    }
}
