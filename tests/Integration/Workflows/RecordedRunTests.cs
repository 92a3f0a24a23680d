using Alt.Activities;
using Alt.Domain;
using Alt.Workflows;

namespace Alt.Tests.Workflows;

/// <summary>The run whose histories lie under Histories.</summary>
public sealed class RecordedRunTests(WorkflowSite site) : IClassFixture<WorkflowSite>
{
    [Fact]
    public async Task A_run_that_is_told_everything_ends_well()
    {
        var stub = new StubActivities();
        var draw = stub.Closes("Draw 1");
        stub.Holds("Collect 1.0", "label the samples");
        await site.WithWorkersAsync(
            stub,
            async run =>
            {
                await run.StartAsync();
                await draw.Reached;
                await run.Handle.SignalAsync(w => w.PauseAsync());
                await run.UntilAsync(s => s.Paused, "a paused run");
                await run.Handle.ExecuteUpdateAsync(w => w.LabelAsync(new GivenLabels(new List<HumanLabel>(), "Ada", null)));
                await run.Handle.SignalAsync(w => w.ResumeAsync());
                draw.Open();
                await run.UntilAsync(s => s.Hold is not null, "a run that waits");
                await run.Handle.SignalAsync(w => w.ResumeAsync());
                await run.Handle.GetResultAsync();

                await HistoryTests.RecordAsync(nameof(AltRunWorkflow), await run.Handle.FetchHistoryAsync());
                await HistoryTests.RecordAsync(nameof(IterationWorkflow), await run.Iteration(1).FetchHistoryAsync());
            },
            name: "recorded");

        Assert.Equal("FinishRun", stub.Calls[^1]);
    }
}
