using Alt.Activities;
using Alt.Domain;
using Alt.Workflows;
using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;

namespace Alt.Tests.Workflows;

/// <summary>What a run does with signals, updates and ends.</summary>
public sealed class AltRunWorkflowTests(WorkflowSite site) : IClassFixture<WorkflowSite>
{
    private static readonly GivenLabels TwoLabels = new([new(new(1, 0, 0), Veto: true), new(new(1, 0, 1), Veto: true)], "Ada");

    [Fact]
    public async Task A_run_prepares_then_measures_the_base_model_then_iterates_and_closes()
    {
        var stub = new StubActivities { Chunks = 1 };
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.ExecuteAsync();

            Assert.Equal(new AltRunWorkflow.State { Phase = RunPhase.Closing, Iteration = 2, Iterations = 1 }, await run.StateAsync());
        });

        Assert.Equal(
            [
                "StartRun", "Import", "TrainClassifiers", "Pretrain",
                "Plan 0", "Evaluate 0.0", "CompleteEvaluation 0", "FinishIteration 0",
                "Draw 1", "Sample 1.0", "CompleteSampling 1", "Collect 1.0", "CompleteFeedback 1", "Update 1", "Select 1", "Train 1",
                "Plan 1", "Evaluate 1.0", "CompleteEvaluation 1", "FinishIteration 1", "FinishRun",
            ],
            stub.Calls);
    }

    [Fact]
    public async Task A_run_continues_where_its_record_ends_and_waits_where_that_is_paused()
    {
        var stub = new StubActivities { Plan = new(2, Paused: true) };
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync(iterations: 2);
            await Wait.ForAsync(() => stub.Calls.Contains("Pretrain"), "the end of the preparations");
            await run.UntilAsync(s => s is { Paused: true, Iteration: 2 }, "a paused run");
            await run.Handle.SignalAsync(w => w.ResumeAsync());
            await run.Handle.GetResultAsync();
        });

        Assert.DoesNotContain("FinishIteration 1", stub.Calls);
        Assert.True(stub.At("Resume") < stub.At("Draw 2"));
    }

    [Fact]
    public async Task A_pause_reaches_the_iteration_under_way_and_a_resume_ends_it()
    {
        var stub = new StubActivities();
        var draw = stub.Closes("Draw 1");
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync();
            await draw.Reached;
            await run.Handle.SignalAsync(w => w.PauseAsync());
            await Wait.ForAsync(async () => (await run.Iteration(1).QueryAsync(w => w.Progress())).Paused, "a paused iteration");
            Assert.True((await run.StateAsync()).Paused);
            draw.Open();
            await run.Handle.SignalAsync(w => w.ResumeAsync());
            await run.Handle.GetResultAsync();
        });

        Assert.True(stub.At("Pause") < stub.At("Resume"));
        Assert.True(stub.At("Resume") < stub.At("Sample 1.0"));
    }

    [Fact]
    public async Task A_pause_that_comes_with_the_start_is_recorded_after_it_and_holds_back_every_iteration()
    {
        var stub = new StubActivities();
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync(configure: o => o.SignalWithStart((AltRunWorkflow w) => w.PauseAsync()));
            await run.UntilAsync(s => s is { Paused: true }, "a paused run");
            await Wait.ForAsync(() => stub.Calls.Contains("Pretrain"), "the end of the preparations");
            await run.Handle.SignalAsync(w => w.ResumeAsync());
            await run.Handle.GetResultAsync();
        });

        Assert.Equal(0, stub.At("StartRun"));
        Assert.InRange(stub.At("Pause"), 1, stub.At("Resume"));
        Assert.True(stub.At("Resume") < stub.At("Plan 0"));
    }

    [Fact]
    public async Task A_run_that_waits_for_a_person_says_what_for_and_asks_again_when_it_is_resumed()
    {
        var stub = new StubActivities();
        stub.Holds("Collect 1.1", "label the samples");
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync();
            await run.UntilAsync(s => s.Hold is not null, "a run that waits");
            Assert.Equal("label the samples", (await run.StateAsync()).Hold?.Reason);
            await run.Handle.SignalAsync(w => w.ResumeAsync());
            await run.Handle.GetResultAsync();
            Assert.Null((await run.StateAsync()).Hold);
        });

        Assert.Contains("Pause label the samples", stub.Calls);
        Assert.Equal(2, stub.Calls.Count(c => c == "Collect 1.1"));
    }

    [Fact]
    public async Task A_stopped_run_ends_after_the_iteration_under_way()
    {
        var stub = new StubActivities();
        var train = stub.Closes("Train 1");
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync(iterations: 3);
            await train.Reached;
            await run.Handle.SignalAsync(w => w.StopAsync());
            train.Open();
            await run.Handle.GetResultAsync();
        });

        Assert.Equal("FinishRun stopped", stub.Calls[^1]);
        Assert.Contains("FinishIteration 1", stub.Calls);
        Assert.DoesNotContain("Draw 2", stub.Calls);
    }

    [Fact]
    public async Task A_paused_run_that_is_stopped_finishes_its_iteration()
    {
        var stub = new StubActivities();
        var draw = stub.Closes("Draw 1");
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync(iterations: 3);
            await draw.Reached;
            await run.Handle.SignalAsync(w => w.PauseAsync());
            await run.UntilAsync(s => s.Paused, "a paused run");
            draw.Open();
            await run.Handle.SignalAsync(w => w.StopAsync());
            await run.Handle.GetResultAsync();
        });

        Assert.True(stub.At("Resume") < stub.At("FinishIteration 1"));
        Assert.Equal("FinishRun stopped", stub.Calls[^1]);
    }

    [Fact]
    public async Task A_run_that_waits_for_a_person_ends_at_once_when_it_is_stopped()
    {
        var stub = new StubActivities();
        stub.Holds("CompleteFeedback 1", "too many failures", times: int.MaxValue);
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync();
            await run.UntilAsync(s => s.Hold is not null, "a run that waits");
            await run.Handle.SignalAsync(w => w.StopAsync());
            await run.Handle.GetResultAsync();
            Assert.Equal(WorkflowExecutionStatus.Canceled, (await run.Iteration(1).DescribeAsync()).Status);
        });

        Assert.Equal("FinishRun stopped", stub.Calls[^1]);
        Assert.DoesNotContain("Update 1", stub.Calls);
    }

    [Fact]
    public async Task An_iteration_that_comes_to_wait_for_a_person_in_a_run_that_is_to_end_is_abandoned()
    {
        var stub = new StubActivities();
        var collect = stub.Closes("Collect 1.0");
        stub.Holds("CompleteFeedback 1", "too many failures", times: int.MaxValue);
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync();
            await collect.Reached;
            await run.Handle.SignalAsync(w => w.StopAsync());
            collect.Open();
            await run.Handle.GetResultAsync();
        });

        Assert.Equal("FinishRun stopped", stub.Calls[^1]);
    }

    [Fact]
    public async Task Labels_are_taken_while_the_run_is_paused()
    {
        var stub = new StubActivities();
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync(configure: o => o.SignalWithStart((AltRunWorkflow w) => w.PauseAsync()));
            await run.UntilAsync(s => s.Paused, "a paused run");
            Assert.Equal(2, await run.Handle.ExecuteUpdateAsync(w => w.LabelAsync(TwoLabels)));
            Assert.True((await run.StateAsync()).Paused);
            await run.Handle.SignalAsync(w => w.ResumeAsync());
            await run.Handle.GetResultAsync();
        });

        Assert.True(stub.At("Label Ada") < stub.At("Resume"));
    }

    [Fact]
    public async Task Labels_that_cannot_be_used_fail_their_update_and_not_the_run()
    {
        var stub = new StubActivities();
        var draw = stub.Closes("Draw 1");
        stub.Fails("Label Ada", new InputException("no such sample"));
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync();
            await draw.Reached;
            var refused = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() =>
                run.Handle.ExecuteUpdateAsync(w => w.LabelAsync(TwoLabels)));
            Assert.Equal("no such sample", AltRunWorkflow.Reason(refused));
            draw.Open();
            await run.Handle.GetResultAsync();
        });

        Assert.Equal("FinishRun", stub.Calls[^1]);
    }

    [Fact]
    public async Task A_cancelled_run_cancels_its_iteration_and_the_work_of_that()
    {
        var stub = new StubActivities();
        var sample = stub.Closes("Sample 1.0");
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync();
            await sample.Reached;
            await run.Handle.CancelAsync();
            var end = await Assert.ThrowsAsync<WorkflowFailedException>(() => run.Handle.GetResultAsync());
            Assert.True(TemporalException.IsCanceledException(end.InnerException!));
            Assert.Equal(WorkflowExecutionStatus.Canceled, (await run.Handle.DescribeAsync()).Status);
            Assert.Equal(WorkflowExecutionStatus.Canceled, (await run.Iteration(1).DescribeAsync()).Status);
        });

        Assert.DoesNotContain(stub.Calls, c => c.StartsWith("F", StringComparison.Ordinal) && c != "FinishIteration 0");
    }
}
