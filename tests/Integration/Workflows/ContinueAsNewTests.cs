using Alt.Activities;
using Alt.Domain;
using Alt.Workflows;
using Temporalio.Api.Enums.V1;

namespace Alt.Tests.Workflows;

/// <summary>Runs that continue as new after each iteration: no signal or update is lost on the way.</summary>
public sealed class ContinueAsNewTests(WorkflowSite site) : IClassFixture<WorkflowSite>
{
    private static readonly AltRunWorkflow.State AfterEachIteration = new() { HistoryLimit = 1 };
    private static readonly GivenLabels Label = new([new(new(0, 0, 0), Veto: true)], "Ada");

    [Fact]
    public async Task A_run_that_continues_as_new_prepares_once_and_does_every_iteration_once()
    {
        var (whole, cut) = (new StubActivities { Chunks = 1 }, new StubActivities { Chunks = 1 });
        await site.WithWorkersAsync(whole, run => run.ExecuteAsync(iterations: 2));
        await site.WithWorkersAsync(cut, async run =>
        {
            await run.ExecuteAsync(iterations: 2, AfterEachIteration);

            var carried = await run.CarriedAsync();
            Assert.Equal([0, 1, 2, 3], carried.Select(c => c!.Iteration));
            Assert.All(carried.Skip(1), c => Assert.Equal((RunPhase.Iterating, 2, 1), (c!.Phase, c.Iterations, c.HistoryLimit)));
        });

        Assert.Equal(whole.Calls, cut.Calls);
    }

    [Fact]
    public async Task A_stop_just_before_it_still_ends_the_run()
    {
        var stub = new StubActivities();
        await site.WithWorkersAsync(stub, async run =>
        {
            stub.In("FinishIteration 1", () => run.Handle.SignalAsync(w => w.StopAsync()));
            await run.ExecuteAsync(iterations: 5, AfterEachIteration);

            Assert.True((await run.CarriedAsync())[^1]!.Stopping);
        });

        Assert.Equal("FinishRun stopped", stub.Calls[^1]);
        Assert.DoesNotContain("Draw 2", stub.Calls);
    }

    [Fact]
    public async Task A_pause_just_before_it_is_recorded_first_and_still_holds_afterwards()
    {
        var stub = new StubActivities();
        var pause = stub.Closes("Pause");
        await site.WithWorkersAsync(stub, async run =>
        {
            stub.In("FinishIteration 0", () => run.Handle.SignalAsync(w => w.PauseAsync()));
            await run.StartAsync(iterations: 1, AfterEachIteration);
            await pause.Reached;
            await run.UntilEventAsync(EventType.ChildWorkflowExecutionCompleted);
            await run.UntilAsync(s => s.Iteration == 1, "the end of an iteration");
            Assert.Single(await run.CarriedAsync());

            pause.Open();
            await Wait.ForAsync(async () => (await run.CarriedAsync()).Count == 2, "a run that has continued as new");
            Assert.True((await run.StateAsync()).Paused);
            Assert.DoesNotContain("Draw 1", stub.Calls);
            await run.Handle.SignalAsync(w => w.ResumeAsync());
            await run.Handle.GetResultAsync();
        });

        Assert.True(stub.At("Resume") < stub.At("Draw 1"));
    }

    [Fact]
    public async Task A_hold_just_before_it_is_still_told_afterwards()
    {
        var stub = new StubActivities();
        await site.WithWorkersAsync(stub, async run =>
        {
            stub.In("FinishIteration 0", () => run.Handle.SignalAsync(w => w.HoldAsync(new(HoldKind.Labels, "look at the base model"))));
            await run.StartAsync(iterations: 1, AfterEachIteration);
            await Wait.ForAsync(async () => (await run.CarriedAsync()).Count == 2, "a run that has continued as new");

            Assert.Equal("look at the base model", (await run.StateAsync()).Hold?.Reason);
            await run.Handle.SignalAsync(w => w.ResumeAsync());
            await run.Handle.GetResultAsync();
        });

        Assert.Contains("Pause look at the base model", stub.Calls);
    }

    [Fact]
    public async Task Labels_just_before_it_are_recorded_and_their_giver_gets_an_answer()
    {
        var stub = new StubActivities();
        var (finish, label) = (stub.Closes("FinishIteration 0"), stub.Closes("Label Ada"));
        await site.WithWorkersAsync(stub, async run =>
        {
            await run.StartAsync(iterations: 1, AfterEachIteration);
            await finish.Reached;
            var labelling = run.Handle.ExecuteUpdateAsync(w => w.LabelAsync(Label));
            await label.Reached;
            finish.Open();
            await run.UntilEventAsync(EventType.ChildWorkflowExecutionCompleted);
            Assert.Single(await run.CarriedAsync());
            label.Open();

            Assert.Equal(1, await labelling);
            await run.Handle.GetResultAsync();
            Assert.True((await run.CarriedAsync()).Count > 1);
        });
    }
}
