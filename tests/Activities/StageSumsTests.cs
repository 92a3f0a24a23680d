using Alt.Activities;
using Alt.Domain;

namespace Alt.Tests.Activities;

public class StageSumsTests
{
    [Fact]
    public void A_stage_that_adds_up_may_end() => StageSums.Require(Stage.Sampling, [Chunk(0, 320), Chunk(1, 80)], 2, 400);

    [Fact]
    public void A_missing_chunk_is_named() =>
        Assert.Contains("without its chunks 1 of 2", Assert.Throws<InvalidOperationException>(() => StageSums.Require(Stage.Sampling, [Chunk(0, 320)], 2, 400)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_wrong_sum_is_named() =>
        Assert.Contains("399 samples, expected 400", Assert.Throws<InvalidOperationException>(() => StageSums.Require(Stage.Sampling, [Chunk(0, 320), Chunk(1, 79)], 2, 400)).Message, StringComparison.Ordinal);

    private static IterationEvent.ChunkFinished Chunk(int chunk, int count) => new(Stage.Sampling, chunk, new ArtifactRef(new string('a', 64), 1, "application/jsonl"), count, 0, 0);
}
