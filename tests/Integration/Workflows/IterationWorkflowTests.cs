using Temporalio.Exceptions;

namespace Alt.Tests.Workflows;

/// <summary>One iteration alone: what its run makes of it is in <see cref="AltRunWorkflowTests"/>.</summary>
public sealed class IterationWorkflowTests(WorkflowSite site) : IClassFixture<WorkflowSite>
{
    [Fact]
    public async Task The_base_model_is_measured_and_not_trained()
    {
        var stub = new StubActivities { Chunks = 1 };
        await site.WithWorkersAsync(stub, async run => await (await run.StartIterationAsync(0)).GetResultAsync());

        Assert.Equal(["Plan 0", "Evaluate 0.0", "CompleteEvaluation 0", "FinishIteration 0"], stub.Calls);
    }

    [Fact]
    public async Task A_stage_ends_when_each_of_its_chunks_has_been_done_once()
    {
        var stub = new StubActivities { Chunks = 20 };
        await site.WithWorkersAsync(stub, async run => await (await run.StartIterationAsync(1)).GetResultAsync());

        foreach (var stage in new[] { "Sample", "Collect", "Evaluate" })
        {
            Assert.Equal(
                Enumerable.Range(0, 20).Select(c => $"{stage} 1.{c}").Order(),
                stub.Calls.Where(c => c.StartsWith($"{stage} ", StringComparison.Ordinal)).Order());
        }

        Assert.True(
            stub.Calls.ToList().FindLastIndex(c => c.StartsWith("Sample ", StringComparison.Ordinal)) < stub.At("CompleteSampling 1"));
    }

    [Fact]
    public async Task Eight_chunks_are_scheduled_at_once()
    {
        var stub = new StubActivities { Chunks = 20 };
        var first = stub.Closes("Sample 1.0");
        await site.WithWorkersAsync(stub, async run =>
        {
            var iteration = await run.StartIterationAsync(1);
            await first.Reached;
            // One of the eight places is taken by the chunk that waits, so all others are done one window further.
            await Wait.ForAsync(
                async () => (await iteration.QueryAsync(w => w.Progress())).ChunksDone == 19, "the end of all other chunks");
            Assert.DoesNotContain("CompleteSampling 1", stub.Calls);
            first.Open();
            await iteration.GetResultAsync();
        });
    }

    [Fact]
    public async Task A_paused_iteration_finishes_the_chunks_under_way_and_begins_no_other()
    {
        var stub = new StubActivities { Chunks = 20 };
        var gates = Enumerable.Range(0, 8).Select(c => stub.Closes($"Sample 1.{c}")).ToArray();
        await site.WithWorkersAsync(stub, async run =>
        {
            var iteration = await run.StartIterationAsync(1);
            await gates[0].Reached;
            await iteration.SignalAsync(w => w.PauseAsync());
            await Wait.ForAsync(async () => (await iteration.QueryAsync(w => w.Progress())).Paused, "a paused iteration");
            foreach (var gate in gates)
            {
                gate.Open();
            }

            await Wait.ForAsync(
                async () => (await iteration.QueryAsync(w => w.Progress())).ChunksDone == 8, "the end of the chunks under way");
            Assert.DoesNotContain("Sample 1.8", stub.Calls);
            await iteration.SignalAsync(w => w.ResumeAsync());
            await iteration.GetResultAsync();
        });

        Assert.Contains("Sample 1.19", stub.Calls);
    }

    [Fact]
    public async Task A_stage_that_waits_for_a_person_begins_again_with_its_chunks_when_resumed()
    {
        var stub = new StubActivities();
        stub.Holds("CompleteFeedback 1", "too many failures");
        await site.WithWorkersAsync(stub, async run =>
        {
            var iteration = await run.StartIterationAsync(1);
            await Wait.ForAsync(async () => (await iteration.QueryAsync(w => w.Progress())).Paused, "an iteration that waits");
            await iteration.SignalAsync(w => w.ResumeAsync());
            await iteration.GetResultAsync();
        });

        Assert.Equal(2, stub.Calls.Count(c => c == "Collect 1.0"));
        Assert.Equal(2, stub.Calls.Count(c => c == "CompleteFeedback 1"));
    }

    [Fact]
    public async Task A_cancelled_iteration_cancels_the_chunks_under_way()
    {
        var stub = new StubActivities();
        var evaluate = stub.Closes("Evaluate 0.1");
        await site.WithWorkersAsync(stub, async run =>
        {
            var iteration = await run.StartIterationAsync(0);
            await evaluate.Reached;
            await iteration.CancelAsync();

            var end = await Assert.ThrowsAsync<WorkflowFailedException>(() => iteration.GetResultAsync());
            Assert.True(TemporalException.IsCanceledException(end.InnerException!));
        });

        Assert.DoesNotContain("CompleteEvaluation 0", stub.Calls);
    }
}
