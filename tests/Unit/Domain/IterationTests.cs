using Alt.Domain;

namespace Alt.Tests.Domain;

public class IterationTests
{
    private static readonly ArtifactRef Artifact = new(new string('a', 64), 1, "application/json");

    [Fact]
    public void Chunks_come_back_in_chunk_order_whatever_order_they_finished_in()
    {
        var state = IterationState.Fold(
            [Chunk(Stage.Sampling, 2), Chunk(Stage.Feedback, 0), Chunk(Stage.Sampling, 0), Chunk(Stage.Sampling, 1)]);
        Assert.Equal([0, 1, 2], state.Chunks(Stage.Sampling).Select(c => c.Chunk));
        Assert.NotNull(state.Chunk(Stage.Feedback, 0));
        Assert.Null(state.Chunk(Stage.Feedback, 1));
    }

    [Fact]
    public void Every_fact_of_an_iteration_and_a_run_can_be_folded()
    {
        Assert.All(typeof(IterationEvent).GetNestedTypes(), type => IterationState.Fold([(IterationEvent)Blank(type)]));
        Assert.All(typeof(RunEvent).GetNestedTypes(), type => RunState.Fold([(RunEvent)Blank(type)]));
    }

    [Fact]
    public void A_failed_run_that_continues_is_running_again()
    {
        var state = RunState.Fold(
            [new RunEvent.RunFailed("disk full", DateTimeOffset.UnixEpoch), new RunEvent.RunResumed(DateTimeOffset.UnixEpoch)]);
        Assert.Equal(RunStatus.Running, state.Status);
        Assert.Null(state.Failure);
    }

    private static IterationEvent.ChunkFinished Chunk(Stage stage, int chunk) => new(stage, chunk, Artifact, 1, 1, 0);

    private static object Blank(Type type) => System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(type);
}
