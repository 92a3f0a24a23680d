using Alt.Activities;
using Alt.Domain;
using Alt.Workflows;
using Microsoft.Extensions.Logging;
using Temporalio.Activities;
using Temporalio.Api.Workflow.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;
using static TorchSharp.torch;

namespace Alt.Tests.Activities;

/// <summary>The workflow of an iteration with its own retry policies, on a server, over activities that fail as a test says.</summary>
public sealed class ActivityInterceptorTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    private readonly MemoryLog _log = new();

    [Fact]
    public async Task Weights_of_a_wrong_shape_fail_a_stage_at_its_first_attempt_and_in_one_sentence()
    {
        var activities = new EvaluationActivities(_ => zeros(2, 3).mm(zeros(4, 5)).Dispose());

        var failure = await FailAsync(activities);

        Assert.Equal(1, activities.Attempts);
        Assert.Equal("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)", failure.Message);
        Assert.Equal(("ExternalException", true), (failure.ErrorType, failure.NonRetryable));
        Assert.DoesNotContain("frame #", AllOf(failure), StringComparison.Ordinal);
        var logged = Assert.Single(_log.Entries, e => e.Level == LogLevel.Error);
        Assert.Equal("Evaluation/Evaluate failed at attempt 1 and is not tried again: " + failure.Message, logged.Message);
        Assert.Contains("frame #", logged.Exception!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_passes_is_tried_again_and_each_attempt_is_logged_with_run_iteration_and_chunk()
    {
        var activities = new EvaluationActivities(attempt => _ = attempt < 3 ? throw new TimeoutException("no answer") : true);

        await RunAsync(activities);

        Assert.Equal(3, activities.Attempts);
        var messages = _log.Entries.Where(e => e.Properties.GetValueOrDefault("Activity") is "Evaluate").ToArray();
        string[] names = ["Run", "Iteration", "Chunk", "Stage"];
        Assert.All(messages, e => Assert.Equal(["some", 0, 0, "Evaluation"], names.Select(name => e.Properties[name])));
        var begun = messages.Where(e => e.Message.StartsWith("Evaluation/Evaluate begins", StringComparison.Ordinal));
        Assert.Equal([1, 2, 3], begun.Select(e => e.Properties["Attempt"]));
        Assert.Equal(2, messages.Count(e => e.Message.EndsWith("is tried again: no answer", StringComparison.Ordinal)));
        Assert.Single(messages, e => e.Message.StartsWith("Evaluation/Evaluate ended after", StringComparison.Ordinal));
        Assert.Contains(messages, e => e.Message == "from within the stage");
    }

    [Fact]
    public async Task A_memory_that_is_full_is_looked_at_again_after_a_minute()
    {
        var activities = new EvaluationActivities(_ => throw new OutOfMemoryException("no memory left"));

        await StartAsync(activities, async run =>
        {
            PendingActivityInfo? waiting = null;
            await Wait.ForAsync(async () => (waiting = await PendingAsync(run)) is { Attempt: 2 }, "a wait");
            Assert.Equal("no memory left", waiting!.LastFailure.Message);
            Assert.Equal(TimeSpan.FromMinutes(1), waiting.CurrentRetryInterval.ToTimeSpan());
            await run.TerminateAsync();
        });
    }

    [Fact]
    public async Task A_missing_file_fails_a_stage_at_its_first_attempt()
    {
        var activities = new EvaluationActivities(_ => File.ReadAllText("/nowhere/policy.safetensors"));

        var failure = await FailAsync(activities);

        Assert.Equal(1, activities.Attempts);
        Assert.Equal("DirectoryNotFoundException", failure.ErrorType);
        Assert.Contains("/nowhere/policy.safetensors", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Everything that the server keeps of a failure.</summary>
    private static string AllOf(FailureException failure) => string.Join('\n', failure.Failure?.ToString(), failure.ToString());

    private async Task<ApplicationFailureException> FailAsync(EvaluationActivities activities)
    {
        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => RunAsync(activities));
        return Assert.IsType<ApplicationFailureException>(Assert.IsType<ActivityFailureException>(failed.InnerException).InnerException);
    }

    private async Task<PendingActivityInfo?> PendingAsync(WorkflowHandle run)
    {
        var client = temporal.Client;
        var description = await client.WorkflowService.DescribeWorkflowExecutionAsync(
            new() { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = run.Id } });
        return description.PendingActivities.FirstOrDefault();
    }

    private Task RunAsync(EvaluationActivities activities) => StartAsync(activities, run => run.GetResultAsync());

    private Task StartAsync(EvaluationActivities activities, Func<WorkflowHandle, Task> test) => temporal.RunWorkerAsync(
        options => Configure(options, TaskQueues.Main, activities).AddWorkflow<IterationWorkflow>(),
        main => temporal.RunWorkerAsync(
            options => Configure(options, TaskQueues.Gpu, activities),
            async _ =>
            {
                // Iteration 0 is no more than Evaluation and Report.
                var iteration = new IterationRef("some", 0);
                var options = TemporalFixture.NewWorkflow(main);
                await test(await temporal.Client.StartWorkflowAsync((IterationWorkflow w) => w.RunAsync(iteration), options));
            }));

    private TemporalWorkerOptions Configure(TemporalWorkerOptions options, string queue, object activities)
    {
        options.TaskQueue = queue;
        options.LoggerFactory = _log;
        options.Interceptors = [new ActivityInterceptor()];
        return options.AddAllActivities(activities.GetType(), activities).AddAllActivities(new ReportActivities());
    }

    private sealed class EvaluationActivities(Action<int> evaluate)
    {
        public int Attempts { get; private set; }

        [Activity]
        public int Plan(IterationRef iteration) => 1;

        [Activity]
        public void Evaluate(ChunkRef chunk)
        {
            StageLog.Log.LogInformation("from within the stage");
            evaluate(++Attempts);
        }

        [Activity]
        public void CompleteEvaluation(IterationRef iteration)
        {
        }
    }

    private sealed class ReportActivities
    {
        [Activity]
        public void FinishIteration(IterationRef iteration)
        {
        }
    }
}
