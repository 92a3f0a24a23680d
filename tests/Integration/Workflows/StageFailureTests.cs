using Alt.Domain;
using Alt.Workflows;
using Temporalio.Exceptions;

namespace Alt.Tests.Workflows;

/// <summary>Every activity of a run, failing: once, as if a component were unreachable, and permanently.</summary>
public sealed class StageFailureTests(WorkflowSite site) : IClassFixture<WorkflowSite>
{
    /// <summary>All activities of a run of one iteration.</summary>
    public static TheoryData<string> Activities => new(
        "StartRun", "Import", "TrainClassifiers", "Pretrain",
        "Draw 1", "Sample 1.1", "CompleteSampling 1", "Collect 1.1", "CompleteFeedback 1", "Update 1", "Select 1", "Train 1",
        "Plan 1", "Evaluate 1.1", "CompleteEvaluation 1", "FinishIteration 1", "FinishRun");

    [Theory]
    [MemberData(nameof(Activities))]
    public async Task What_fails_in_passing_is_tried_again(string activity)
    {
        var stub = new StubActivities();
        stub.Fails(activity, new IOException("connection lost"));

        await site.WithWorkersAsync(stub, run => run.ExecuteAsync());

        Assert.Equal(2, stub.Calls.Count(c => c == activity));
        Assert.Equal("FinishRun", stub.Calls[^1]);
        Assert.DoesNotContain(stub.Calls, c => c.StartsWith("Fail", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Activities))]
    public async Task What_cannot_succeed_fails_the_run_at_once_with_its_reason(string activity)
    {
        var stub = new StubActivities();
        stub.Fails(activity, new InputException("the file is gone"));

        await site.WithWorkersAsync(stub, async run =>
        {
            var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => run.ExecuteAsync());
            Assert.Equal("the file is gone", AltRunWorkflow.Reason(failure));
        });

        Assert.Single(stub.Calls, c => c == activity);
        Assert.Equal("Fail the file is gone", stub.Calls[^1]);
    }

    [Fact]
    public async Task A_run_that_fails_before_it_is_recorded_drops_the_pause_that_came_with_it()
    {
        var stub = new StubActivities();
        stub.Fails("StartRun", new InputException("no such device"));

        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync(configure: o => o.SignalWithStart((AltRunWorkflow w) => w.PauseAsync()));
            await Assert.ThrowsAsync<WorkflowFailedException>(() => run.Handle.GetResultAsync());
        });

        Assert.Equal(["StartRun", "Fail no such device"], stub.Calls);
    }
}
