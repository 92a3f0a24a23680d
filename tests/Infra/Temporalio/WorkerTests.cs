using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>Worker and client against the embedded server, with workflows kept in memory, hardly kept, and never kept.</summary>
public sealed class WorkerTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    public static TheoryData<int> CacheSizes => [1000, 1, 0];

    [Theory]
    [MemberData(nameof(CacheSizes))]
    public Task Twenty_activities_one_after_the_other(int cache) => RunAsync(cache, async queue =>
    {
        var result = await temporal.Client.ExecuteWorkflowAsync((Sums wf) => wf.RunAsync(20), TemporalFixture.NewWorkflow(queue));
        Assert.Equal(210, result);
    });

    [Theory]
    [MemberData(nameof(CacheSizes))]
    public Task Many_workflows_at_a_time(int cache) => RunAsync(cache, async queue =>
    {
        var results = await Task.WhenAll(Enumerable.Range(1, 20).Select(n =>
            temporal.Client.ExecuteWorkflowAsync((Sums wf) => wf.RunAsync(n % 5), TemporalFixture.NewWorkflow(queue))));
        Assert.Equal(Enumerable.Range(1, 20).Select(n => (n % 5) * ((n % 5) + 1) / 2), results);
    });

    [Theory]
    [MemberData(nameof(CacheSizes))]
    public Task Signals_queries_and_updates(int cache) => RunAsync(cache, async queue =>
    {
        var handle = await temporal.Client.StartWorkflowAsync((Basket wf) => wf.RunAsync(), TemporalFixture.NewWorkflow(queue));
        await handle.SignalAsync(wf => wf.AddAsync("apple"));
        await handle.SignalAsync(wf => wf.AddAsync("pear"));
        Assert.Equal(3, await handle.ExecuteUpdateAsync(wf => wf.PutAsync("plum")));
        Assert.Equal(3, await handle.QueryAsync(wf => wf.Count));
        Assert.Equal("pear", await handle.QueryAsync(wf => wf.At(1)));

        var rejected = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => handle.ExecuteUpdateAsync(wf => wf.PutAsync("stone")));
        Assert.Equal("stone is no fruit", rejected.InnerException!.Message);
        await Assert.ThrowsAsync<WorkflowQueryFailedException>(() => handle.QueryAsync(wf => wf.At(7)));
        await handle.SignalAsync(wf => wf.CloseAsync());

        Assert.Equal("apple, pear, plum", await handle.GetResultAsync());
        Assert.Equal(3, await handle.QueryAsync(wf => wf.Count));
    });

    [Theory]
    [MemberData(nameof(CacheSizes))]
    public Task Children_and_continue_as_new(int cache) => RunAsync(cache, async queue =>
    {
        var handle = await temporal.Client.StartWorkflowAsync((Rounds wf) => wf.RunAsync(3, 0), TemporalFixture.NewWorkflow(queue));

        // Each round adds a child's 1 + 2 + 3.
        Assert.Equal(18, await handle.GetResultAsync());
        await Assert.ThrowsAsync<WorkflowContinuedAsNewException>(() => handle.GetResultAsync(followRuns: false));
    });

    [Fact]
    public Task Local_activities_outlast_a_workflow_task() => RunAsync(1000, async queue =>
    {
        var options = TemporalFixture.NewWorkflow(queue);
        options.TaskTimeout = TimeSpan.FromSeconds(1);

        var handle = await temporal.Client.StartWorkflowAsync((Locally wf) => wf.RunAsync(), options);

        Assert.Equal("waited at attempt 2", await handle.GetResultAsync());
        var history = await handle.FetchHistoryAsync();
        Assert.DoesNotContain(history.Events, evt => evt.EventType is EventType.ActivityTaskScheduled or EventType.WorkflowTaskTimedOut or EventType.WorkflowTaskFailed);
        Assert.True(history.Events.Count(evt => evt.EventType == EventType.WorkflowTaskCompleted) >= 2);
    });

    [Fact]
    public Task A_retried_activity_goes_on_from_its_heartbeat() => RunAsync(1000, async queue =>
    {
        var result = await temporal.Client.ExecuteWorkflowAsync((Resumes wf) => wf.RunAsync(), TemporalFixture.NewWorkflow(queue));
        Assert.Equal("attempt 2 from 50", result);
    });

    [Fact]
    public Task A_cancelled_workflow_cancels_its_activity_and_ends_as_cancelled() => RunAsync(1000, async queue =>
    {
        var handle = await temporal.Client.StartWorkflowAsync((Endless wf) => wf.RunAsync(), TemporalFixture.NewWorkflow(queue));
        await WaitForAsync(async () => (await DescribeAsync(handle)).PendingActivities.Any(activity => activity.State == PendingActivityState.Started));

        await handle.CancelAsync();

        var error = await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync());
        Assert.IsType<CanceledFailureException>(error.InnerException);
        Assert.Contains((await handle.FetchHistoryAsync()).Events, evt => evt.EventType == EventType.ActivityTaskCanceled);
    });

    [Fact]
    public Task A_failure_brings_its_chain_of_causes_to_the_client() => RunAsync(1000, async queue =>
    {
        var error = await Assert.ThrowsAsync<WorkflowFailedException>(
            () => temporal.Client.ExecuteWorkflowAsync((Fails wf) => wf.RunAsync(), TemporalFixture.NewWorkflow(queue)));

        var activity = Assert.IsType<ActivityFailureException>(error.InnerException);
        Assert.Equal(RetryState.NonRetryableFailure, activity.RetryState);
        var application = Assert.IsType<ApplicationFailureException>(activity.InnerException);
        Assert.Equal(("Spoiled", "milk", 3), (application.ErrorType, application.Details.ElementAt<string>(0), application.Details.ElementAt<int>(1)));
        Assert.Equal("InvalidOperationException", Assert.IsType<ApplicationFailureException>(application.InnerException).ErrorType);
    });

    [Fact]
    public Task A_terminated_workflow_and_a_second_start_are_told_apart() => RunAsync(1000, async queue =>
    {
        var options = TemporalFixture.NewWorkflow(queue);
        var handle = await temporal.Client.StartWorkflowAsync((Endless wf) => wf.RunAsync(), options);
        var second = await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(() => temporal.Client.StartWorkflowAsync((Endless wf) => wf.RunAsync(), options));
        Assert.Equal((options.Id, handle.ResultRunId), (second.WorkflowId, second.RunId));

        await handle.TerminateAsync("enough");

        var error = await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync());
        Assert.Equal("enough", Assert.IsType<TerminatedFailureException>(error.InnerException).Message);
        Assert.Equal(WorkflowExecutionStatus.Terminated, (await handle.DescribeAsync()).Status);
    });

    [Fact]
    public Task Another_workflow_can_be_signalled_and_cancelled() => RunAsync(1000, async queue =>
    {
        var basket = await temporal.Client.StartWorkflowAsync((Basket wf) => wf.RunAsync(), TemporalFixture.NewWorkflow(queue));
        var endless = await temporal.Client.StartWorkflowAsync((Endless wf) => wf.RunAsync(), TemporalFixture.NewWorkflow(queue));

        var result = await temporal.Client.ExecuteWorkflowAsync((Meddler wf) => wf.RunAsync(basket.Id, endless.Id), TemporalFixture.NewWorkflow(queue));

        Assert.Equal("Unable to signal external workflow because it was not found", result);
        Assert.Equal("from outside", await basket.GetResultAsync());
        await Assert.ThrowsAsync<WorkflowFailedException>(() => endless.GetResultAsync());
    });

    [Fact]
    public Task One_slot_is_enough_for_new_workflows_and_for_cached_ones() => temporal.RunWorkerAsync(
        options =>
        {
            options.MaxConcurrentWorkflowTasks = 1;
            options.MaxConcurrentActivities = 1;
            options.AddAllActivities(new Acts()).AddWorkflow<Sums>();
        },
        async queue =>
        {
            var results = Task.WhenAll(Enumerable.Range(1, 3).Select(_ =>
                temporal.Client.ExecuteWorkflowAsync((Sums wf) => wf.RunAsync(3), TemporalFixture.NewWorkflow(queue))));

            // A poll that held the only slot would keep the others waiting for a minute.
            Assert.All(await results.WaitAsync(TimeSpan.FromSeconds(30)), sum => Assert.Equal(6, sum));
        });

    [Fact]
    public Task Signal_with_start_starts_once() => RunAsync(1000, async queue =>
    {
        var options = TemporalFixture.NewWorkflow(queue);
        options.SignalWithStart((Basket wf) => wf.AddAsync("first"));
        await temporal.Client.StartWorkflowAsync((Basket wf) => wf.RunAsync(), options);
        options.SignalWithStart((Basket wf) => wf.AddAsync("second"));
        var handle = await temporal.Client.StartWorkflowAsync((Basket wf) => wf.RunAsync(), options);
        await handle.SignalAsync(wf => wf.CloseAsync());

        Assert.Equal("first, second", await handle.GetResultAsync());
    });

    [Fact]
    public Task A_restarted_server_is_waited_for_and_the_run_goes_on() => RunAsync(1000, async queue =>
    {
        var handle = await temporal.Client.StartWorkflowAsync((Basket wf) => wf.RunAsync(), TemporalFixture.NewWorkflow(queue));
        await handle.SignalAsync(wf => wf.AddAsync("before"));
        var result = handle.GetResultAsync();

        await temporal.RestartServerAsync();
        await handle.SignalAsync(wf => wf.AddAsync("after"));
        await handle.SignalAsync(wf => wf.CloseAsync());

        Assert.Equal("before, after", await result);
    });

    private Task RunAsync(int cache, Func<string, Task> test) => temporal.RunWorkerAsync(
        options =>
        {
            options.MaxCachedWorkflows = cache;
            options.AddAllActivities(new Acts())
                .AddWorkflow<Sums>().AddWorkflow<Basket>().AddWorkflow<Rounds>().AddWorkflow<Locally>().AddWorkflow<Resumes>()
                .AddWorkflow<Endless>().AddWorkflow<Fails>().AddWorkflow<Meddler>();
        },
        test);

    private Task<global::Temporalio.Api.WorkflowService.V1.DescribeWorkflowExecutionResponse> DescribeAsync(WorkflowHandle handle) =>
        temporal.Client.WorkflowService.DescribeWorkflowExecutionAsync(new() { Namespace = "default", Execution = new() { WorkflowId = handle.Id } });

    private static async Task WaitForAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    [Workflow]
    public class Sums
    {
        [WorkflowRun]
        public async Task<int> RunAsync(int count)
        {
            var sum = 0;
            for (var i = 1; i <= count; i++)
            {
                sum = await Workflow.ExecuteActivityAsync((Acts acts) => acts.Add(sum, i), Acts.Options);
            }
            return sum;
        }
    }

    [Workflow]
    public class Basket
    {
        private readonly List<string> fruit = [];
        private bool closed;

        [WorkflowQuery]
        public int Count => fruit.Count;

        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            await Workflow.WaitConditionAsync(() => closed);
            return string.Join(", ", fruit);
        }

        [WorkflowSignal]
        public Task AddAsync(string name)
        {
            fruit.Add(name);
            return Task.CompletedTask;
        }

        [WorkflowSignal]
        public Task CloseAsync()
        {
            closed = true;
            return Task.CompletedTask;
        }

        [WorkflowUpdate]
        public async Task<int> PutAsync(string name)
        {
            await Workflow.DelayAsync(1);
            fruit.Add(name);
            return fruit.Count;
        }

        [WorkflowUpdateValidator(nameof(PutAsync))]
        public void ValidatePut(string name)
        {
            if (name == "stone")
            {
                throw new ApplicationFailureException("stone is no fruit");
            }
        }

        [WorkflowQuery]
        public string At(int index) => fruit[index];
    }

    [Workflow]
    public class Rounds
    {
        [WorkflowRun]
        public async Task<int> RunAsync(int left, int sum)
        {
            if (left == 0)
            {
                return sum;
            }
            var child = await Workflow.StartChildWorkflowAsync((Sums wf) => wf.RunAsync(3));
            sum += await child.GetResultAsync();
            throw Workflow.CreateContinueAsNewException((Rounds wf) => wf.RunAsync(left - 1, sum));
        }
    }

    [Workflow]
    public class Locally
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Workflow.ExecuteLocalActivityAsync(
            (Acts acts) => acts.WaitALittleAsync(),
            new() { StartToCloseTimeout = TimeSpan.FromMinutes(1), RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(10) } });
    }

    [Workflow]
    public class Resumes
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Workflow.ExecuteActivityAsync((Acts acts) => acts.ResumeAsync(), Acts.Options);
    }

    [Workflow]
    public class Endless
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.ExecuteActivityAsync(
            (Acts acts) => acts.BeatForEverAsync(),
            new()
            {
                StartToCloseTimeout = TimeSpan.FromMinutes(5),
                HeartbeatTimeout = TimeSpan.FromSeconds(1),
                CancellationType = ActivityCancellationType.WaitCancellationCompleted,
            });
    }

    [Workflow]
    public class Fails
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.ExecuteActivityAsync(() => Acts.Spoil(), Acts.Options);
    }

    [Workflow]
    public class Meddler
    {
        [WorkflowRun]
        public async Task<string> RunAsync(string basketId, string endlessId)
        {
            var basket = Workflow.GetExternalWorkflowHandle<Basket>(basketId);
            await basket.SignalAsync(wf => wf.AddAsync("from outside"));
            await basket.SignalAsync(wf => wf.CloseAsync());
            await Workflow.GetExternalWorkflowHandle(endlessId).CancelAsync();
            try
            {
                await Workflow.GetExternalWorkflowHandle("no such workflow").SignalAsync("Add", ["x"]);
                return "signalled";
            }
            catch (ApplicationFailureException e)
            {
                return e.Message;
            }
        }
    }

    public class Acts
    {
        public static ActivityOptions Options => new() { StartToCloseTimeout = TimeSpan.FromMinutes(1), RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(10) } };

        [Activity]
        public int Add(int a, int b) => a + b;

        [Activity]
        public async Task<string> WaitALittleAsync()
        {
            var info = ActivityExecutionContext.Current.Info;
            if (info.Attempt == 1)
            {
                throw new InvalidOperationException("not yet");
            }
            // Longer than the workflow's task timeout of a second.
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.5));
            await timer.WaitForNextTickAsync();
            return $"waited at attempt {info.Attempt}";
        }

        [Activity]
        public async Task<string> ResumeAsync()
        {
            var context = ActivityExecutionContext.Current;
            if (context.Info.HeartbeatDetails.Count == 0)
            {
                for (var i = 0; i <= 50; i++)
                {
                    context.Heartbeat(i);
                }
                throw new InvalidOperationException("crashed");
            }
            return $"attempt {context.Info.Attempt} from {await context.Info.HeartbeatDetailAtAsync<int>(0)}";
        }

        [Activity]
        public async Task BeatForEverAsync()
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            while (await timer.WaitForNextTickAsync(ActivityExecutionContext.Current.CancellationToken))
            {
                ActivityExecutionContext.Current.Heartbeat();
            }
        }

        [Activity]
        public static void Spoil() => throw new ApplicationFailureException(
            "spoiled", new InvalidOperationException("left outside"), errorType: "Spoiled", nonRetryable: true, details: ["milk", 3]);
    }
}
