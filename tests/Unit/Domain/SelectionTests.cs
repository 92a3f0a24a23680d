using Alt.Domain;

namespace Alt.Tests.Domain;

public class SelectionTests
{
    private static readonly IReadOnlyList<PoolEntry> Pool =
        DataPool.Update(
            [], Enumerable.Range(0, 100).Select(i => new PoolSample(new SampleId(1, i, 0), new string('a', 64), i / 100.0, i % 3 == 0)), 5);

    [Fact]
    public void The_whole_pool_is_taken_by_default() =>
        Assert.All(Selection.Select(Pool, new SelectionConfig(), 1, 1), d => Assert.True(d.Selected));

    [Fact]
    public void Selection_is_the_same_for_the_same_seed()
    {
        var config = new SelectionConfig { PerQuantile = 4 };
        Assert.Equal(Selection.Select(Pool, config, 1, 1), Selection.Select(Pool, config, 1, 1));
        Assert.NotEqual(Selection.Select(Pool, config, 1, 1), Selection.Select(Pool, config, 2, 1));
        Assert.NotEqual(Selection.Select(Pool, config, 1, 1), Selection.Select(Pool, config, 1, 2));
    }

    [Fact]
    public void Every_quantile_gives_its_quota_and_the_rest_is_over_quota()
    {
        var decisions = Selection.Select(Pool, new SelectionConfig { PerQuantile = 4 }, 1, 1);
        Assert.All(decisions.Where(d => d.Selected).GroupBy(d => d.Quantile), g => Assert.Equal(4, g.Count()));
        Assert.All(decisions.Where(d => !d.Selected), d => Assert.Equal(LeftOut.OverQuota, d.LeftOut));
        Assert.Equal(Pool.Count, decisions.Count);
    }

    [Fact]
    public void Rejected_truncated_samples_say_so()
    {
        var decisions = Selection.Select(Pool, new SelectionConfig { Truncated = TruncatedSamples.Reject }, 1, 1);
        Assert.All(Pool.Zip(decisions), p => Assert.Equal(p.First.Sample.Truncated ? LeftOut.Truncated : null, p.Second.LeftOut));
    }

    [Fact]
    public void Rejected_duplicates_are_those_after_the_first_of_their_prompt()
    {
        PoolSample[] samples =
        [
            Of(1, 0, 0, "a"), Of(1, 0, 1, "a"), Of(1, 0, 2, "b"), Of(1, 1, 0, "a"), Of(2, 0, 0, "b"), Of(2, 0, 1, "c"), Of(2, 1, 0, "a"),
        ];
        var pool = DataPool.Update(samples[..4], samples[4..], 2);

        var kept = Selection.Select(pool, new SelectionConfig(), 1, 2);
        var rejected = Selection.Select(pool, new SelectionConfig { Duplicates = DuplicateSamples.Reject }, 1, 2);

        Assert.All(kept, d => Assert.True(d.Selected));
        Assert.Equal(["1/0/1", "2/0/0", "2/1/0"], rejected.Where(d => d.LeftOut == LeftOut.Duplicate).Select(d => d.Id.ToString()));
        Assert.Equal(4, rejected.Count(d => d.Selected));

        static PoolSample Of(int iteration, int prompt, int k, string content) =>
            new(new SampleId(iteration, prompt, k), content, (iteration + k) / 10.0, false);
    }

    [Fact]
    public void A_rejected_duplicate_takes_no_place_of_its_quantiles_quota()
    {
        var pool = DataPool.Update(
            [], Enumerable.Range(0, 40).Select(k => new PoolSample(new SampleId(1, 0, k), $"{k % 20}", k % 20, false)), 2);

        var decisions = Selection.Select(pool, new SelectionConfig { Duplicates = DuplicateSamples.Reject, PerQuantile = 8 }, 1, 1);

        Assert.All(decisions.Where(d => d.Selected).GroupBy(d => d.Quantile), g => Assert.Equal(8, g.Count()));
        Assert.All(decisions, d => Assert.Equal(d.Id.K >= 20, d.LeftOut == LeftOut.Duplicate));
    }

    [Fact]
    public void Truncated_samples_come_last_where_the_config_says_so()
    {
        var decisions = Selection.Select(Pool, new SelectionConfig { Truncated = TruncatedSamples.Last, PerQuantile = 10 }, 1, 1);
        Assert.All(Pool.Zip(decisions).Where(p => p.Second.Selected), p => Assert.False(p.First.Sample.Truncated));
    }
}
