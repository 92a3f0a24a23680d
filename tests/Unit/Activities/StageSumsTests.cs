using Alt.Activities;
using Alt.Domain;

namespace Alt.Tests.Activities;

public class StageSumsTests
{
    [Fact]
    public void A_stage_that_adds_up_may_end() => StageSums.Require(Stage.Sampling, [Chunk(0, 320), Chunk(1, 80)], 2, 400);

    [Fact]
    public void A_missing_chunk_is_named() =>
        Assert.Contains(
            "without its chunks 1 of 2",
            Assert.Throws<InvalidOperationException>(() => StageSums.Require(Stage.Sampling, [Chunk(0, 320)], 2, 400)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_wrong_sum_is_named() =>
        Assert.Contains(
            "399 samples, expected 400", Assert.Throws<InvalidOperationException>(() =>
                StageSums.Require(Stage.Sampling, [Chunk(0, 320), Chunk(1, 79)], 2, 400)).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("1/0/0 1/0/1", "1/0/0 1/0/1", null)]
    [InlineData("1/0/0 1/0/1 1/1/0", "1/0/1", "missing 1/0/0, 1/1/0;")]
    [InlineData("1/0/0", "1/0/0 1/0/0", "twice 1/0/0;")]
    [InlineData("1/0/0", "1/0/0 2/0/0", "not of this stage 2/0/0;")]
    public void Samples_that_do_not_add_up_are_named(string expected, string found, string? complaint)
    {
        var error = Record.Exception(() => StageSums.Require(Stage.Feedback, Ids(expected), Ids(found)));
        Assert.Equal(complaint is not null, error is InvalidOperationException);
        Assert.Contains(complaint ?? "", error?.Message ?? "", StringComparison.Ordinal);

        static SampleId[] Ids(string text) => [.. text.Split(' ').Select(id => SampleRef.Parse($"run/{id}").Id)];
    }

    private static IterationEvent.ChunkFinished Chunk(int chunk, int count) =>
        new(Stage.Sampling, chunk, new ArtifactRef(new string('a', 64), 1, "application/jsonl"), count, 0, 0);
}
