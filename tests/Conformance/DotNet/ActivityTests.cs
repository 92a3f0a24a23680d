using System.Collections.Concurrent;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Conformance.DotNet;

/// <summary>Activities of the official .NET worker: local, eager, ended from outside, taken up where a heartbeat left them.</summary>
public sealed class ActivityTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public async Task Local_activities_are_retried_and_recorded_as_markers(int cached)
    {
        await temporal.RunWorkerAsync(
            options =>
            {
                options.MaxCachedWorkflows = cached;
                options.AddWorkflow<LocalWorkflow>().AddAllActivities(new Works());
            },
            async queue =>
            {
                var handle = await temporal.Client.StartWorkflowAsync(
                    (LocalWorkflow w) => w.RunAsync(), TemporalFixture.NewWorkflow(queue));

                Assert.Equal(["quick at 1", "slow at 3", "Hopeless", "cancelled"], await handle.GetResultAsync());
                var types = await Histories.TypesAsync<LocalWorkflow>(handle);
                Assert.DoesNotContain(EventType.ActivityTaskScheduled, types);
                Assert.Contains(EventType.MarkerRecorded, types);
                // A pause longer than a workflow task may last is a timer of the workflow's.
                Assert.Contains(EventType.TimerFired, types);
            });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Eager_activities_come_with_the_answer_to_the_task_that_scheduled_them(bool eager)
    {
        await temporal.RunWorkerAsync(
            options =>
            {
                options.DisableEagerActivityExecution = !eager;
                options.AddWorkflow<EagerWorkflow>().AddAllActivities(new Works());
            },
            async queue =>
            {
                var handle = await temporal.Client.StartWorkflowAsync(
                    (EagerWorkflow w) => w.RunAsync(), TemporalFixture.NewWorkflow(queue));

                // No worker polled for it in between, so both moments are those of one transition.
                Assert.Equal(eager, await handle.GetResultAsync());
                Assert.Equal(3, (await Histories.TypesAsync<EagerWorkflow>(handle)).Count(t => t == EventType.ActivityTaskCompleted));
            });
    }

    [Fact]
    public async Task A_retry_gets_the_details_of_the_last_heartbeat()
    {
        await temporal.RunWorkerAsync(
            options => options.AddWorkflow<ResumingWorkflow>().AddAllActivities(new Works()),
            async queue =>
            {
                var handle = await temporal.Client.StartWorkflowAsync(
                    (ResumingWorkflow w) => w.RunAsync(), TemporalFixture.NewWorkflow(queue));

                Assert.Equal("attempt 2 continues after 7", await handle.GetResultAsync());
                await Histories.CheckedAsync<ResumingWorkflow>(handle);
            });
    }

    [Fact]
    public async Task An_activity_is_ended_from_outside_by_token_or_by_id()
    {
        var works = new Works();
        await temporal.RunWorkerAsync(
            options => options.AddWorkflow<OutsideWorkflow>().AddAllActivities(works),
            async queue =>
            {
                async Task<WorkflowHandle<OutsideWorkflow, string>> StartAsync(string activity)
                {
                    var handle = await temporal.Client.StartWorkflowAsync(
                        (OutsideWorkflow w) => w.RunAsync(activity), TemporalFixture.NewWorkflow(queue));
                    await Wait.ForAsync(() => works.Tokens.ContainsKey(handle.Id), "a started activity");
                    return handle;
                }

                var byToken = await StartAsync("a");
                var token = temporal.Client.GetAsyncActivityHandle(works.Tokens[byToken.Id]);
                await token.HeartbeatAsync(new() { Details = ["half"] });
                var pending = Assert.Single(await Histories.PendingActivitiesAsync(byToken));
                await token.CompleteAsync("by token");
                var byId = await StartAsync("b");
                await temporal.Client.GetAsyncActivityHandle(byId.Id, byId.ResultRunId!, "b").CompleteAsync("by id");
                var failing = await StartAsync("c");
                await temporal.Client.GetAsyncActivityHandle(failing.Id, failing.ResultRunId!, "c")
                    .FailAsync(new ApplicationFailureException("from outside", errorType: "Outside", nonRetryable: true));
                var cancelled = await StartAsync("d");
                await cancelled.CancelAsync();
                var last = temporal.Client.GetAsyncActivityHandle(works.Tokens[cancelled.Id]);
                await Wait.ForAsync(async () => await IsCancelledAsync(last), "the request to cancel");
                await last.ReportCancellationAsync();

                Assert.Contains("half", pending.HeartbeatDetails.Payloads_[0].Data.ToStringUtf8(), StringComparison.Ordinal);
                Assert.Equal(("by token", "by id"), (await byToken.GetResultAsync(), await byId.GetResultAsync()));
                Assert.Equal("Outside", await failing.GetResultAsync());
                Assert.Equal("cancelled", await cancelled.GetResultAsync());
                var again = await Assert.ThrowsAsync<RpcException>(() => token.CompleteAsync("again"));
                Assert.Equal(RpcException.StatusCode.NotFound, again.Code);
                foreach (var handle in new WorkflowHandle[] { byToken, byId, failing, cancelled })
                {
                    await Histories.CheckedAsync<OutsideWorkflow>(handle);
                }
            });
    }

    private static async Task<bool> IsCancelledAsync(AsyncActivityHandle activity)
    {
        try
        {
            await activity.HeartbeatAsync();
            return false;
        }
        catch (AsyncActivityCanceledException)
        {
            return true;
        }
    }

    public sealed class Works
    {
        /// <summary>Task tokens of the activities that are completed from outside, by workflow id.</summary>
        public ConcurrentDictionary<string, byte[]> Tokens { get; } = new();

        [Activity]
        public string Try(string name, int successfulAttempt)
        {
            var attempt = ActivityExecutionContext.Current.Info.Attempt;
            return attempt < successfulAttempt
                ? throw new ApplicationFailureException($"attempt {attempt}")
                : $"{name} at {attempt}";
        }

        [Activity]
        public void Refuse() => throw new ApplicationFailureException("never", errorType: "Hopeless", nonRetryable: true);

        [Activity]
        public Task WaitAsync() => Task.Delay(Timeout.Infinite, ActivityExecutionContext.Current.CancellationToken);

        [Activity]
        public bool StartedWhenScheduled()
        {
            var info = ActivityExecutionContext.Current.Info;
            return info.StartedTime == info.CurrentAttemptScheduledTime;
        }

        [Activity]
        public async Task<string> ResumeAsync()
        {
            var context = ActivityExecutionContext.Current;
            if (context.Info.HeartbeatDetails.Count == 0)
            {
                context.Heartbeat(7);
                throw new ApplicationFailureException("not yet");
            }

            return $"attempt {context.Info.Attempt} continues after {await context.Info.HeartbeatDetailAtAsync<int>(0)}";
        }

        [Activity]
        public string Hand()
        {
            var info = ActivityExecutionContext.Current.Info;
            Tokens[info.WorkflowId!] = info.TaskToken;
            throw new CompleteAsyncException();
        }
    }

    [Workflow]
    public class LocalWorkflow
    {
        private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

        [WorkflowRun]
        public async Task<List<string>> RunAsync()
        {
            var seen = new List<string>
            {
                await Workflow.ExecuteLocalActivityAsync((Works w) => w.Try("quick", 1), new() { StartToCloseTimeout = Long }),
                await Workflow.ExecuteLocalActivityAsync((Works w) => w.Try("slow", 3), new()
                {
                    StartToCloseTimeout = Long,
                    RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(200), BackoffCoefficient = 2 },
                    LocalRetryThreshold = TimeSpan.FromMilliseconds(300),
                }),
            };
            try
            {
                await Workflow.ExecuteLocalActivityAsync((Works w) => w.Refuse(), new() { StartToCloseTimeout = Long });
            }
            catch (ApplicationFailureException e)
            {
                // The SDK wraps failures of other activities only.
                seen.Add(e.ErrorType!);
            }

            using var cancel = new CancellationTokenSource();
            var waiting = Workflow.ExecuteLocalActivityAsync(
                (Works w) => w.WaitAsync(), new() { StartToCloseTimeout = Long, CancellationToken = cancel.Token });
            await Workflow.DelayAsync(50);
            cancel.Cancel();
            try
            {
                await waiting;
            }
            catch (Exception e) when (TemporalException.IsCanceledException(e))
            {
                seen.Add("cancelled");
            }

            return seen;
        }
    }

    [Workflow]
    public class EagerWorkflow
    {
        [WorkflowRun]
        public async Task<bool> RunAsync()
        {
            var started = await Workflow.WhenAllAsync(Enumerable.Range(0, 3).Select(_ =>
                Workflow.ExecuteActivityAsync(
                    (Works w) => w.StartedWhenScheduled(), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) })));
            return started.Contains(true);
        }
    }

    [Workflow]
    public class ResumingWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Workflow.ExecuteActivityAsync((Works w) => w.ResumeAsync(), new()
        {
            StartToCloseTimeout = TimeSpan.FromMinutes(1),
            HeartbeatTimeout = TimeSpan.FromSeconds(30),
            RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(50) },
        });
    }

    [Workflow]
    public class OutsideWorkflow
    {
        [WorkflowRun]
        public async Task<string> RunAsync(string activity)
        {
            try
            {
                return await Workflow.ExecuteActivityAsync((Works w) => w.Hand(), new()
                {
                    ActivityId = activity,
                    StartToCloseTimeout = TimeSpan.FromMinutes(2),
                    CancellationType = ActivityCancellationType.WaitCancellationCompleted,
                });
            }
            catch (ActivityFailureException e)
            {
                return e.InnerException is ApplicationFailureException cause ? cause.ErrorType! : "cancelled";
            }
        }
    }
}
