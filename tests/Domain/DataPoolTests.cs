using Alt.Domain;

namespace Alt.Tests.Domain;

public class DataPoolTests
{
    [Theory]
    [InlineData(14, 5, new[] { 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4 })]
    [InlineData(3, 5, new[] { 4, 4, 4 })]
    [InlineData(10, 5, new[] { 0, 0, 1, 1, 2, 2, 3, 3, 4, 4 })]
    public void Every_quantile_takes_the_floor_and_the_worst_the_remainder(int rewards, int quantiles, int[] expected) =>
        Assert.Equal(expected, DataPool.Quantiles([.. Enumerable.Range(0, rewards).Select(i => (double)-i)], quantiles));

    [Fact]
    public void Ninety_six_rewards_make_quantiles_of_19_19_19_19_20() =>
        Assert.Equal([19, 19, 19, 19, 20], DataPool.Quantiles([.. Enumerable.Range(0, 96).Select(i => (double)i)], 5).GroupBy(q => q).OrderBy(g => g.Key).Select(g => g.Count()));

    [Fact]
    public void Equal_rewards_keep_the_order_of_the_record() =>
        Assert.Equal([0, 0, 1, 1], DataPool.Quantiles([1, 1, 1, 1], 2));

    [Fact]
    public void The_pool_and_its_hash_do_not_depend_on_the_order_of_arrival()
    {
        PoolSample[] samples = [.. Enumerable.Range(0, 50).Select(i => Sample(1, i, (i * 7 % 11) / 11.0))];
        var one = DataPool.Update([], samples, 5);
        var other = DataPool.Update([], samples.Reverse(), 5);
        Assert.Equal(one, other);
        Assert.Equal(DataPool.Hash(one), DataPool.Hash(other));
    }

    [Fact]
    public void The_hash_changes_with_any_reward_content_or_quantile()
    {
        var pool = DataPool.Update([], [Sample(1, 0, 0.25), Sample(1, 1, 0.5)], 2);
        string[] hashes =
        [
            DataPool.Hash(pool),
            DataPool.Hash([pool[0] with { Quantile = 0 }, pool[1]]),
            DataPool.Hash([pool[0] with { Sample = pool[0].Sample with { Reward = 0.26 } }, pool[1]]),
            DataPool.Hash([pool[0] with { Sample = pool[0].Sample with { Content = new string('b', 64) } }, pool[1]]),
            DataPool.Hash([pool[0]]),
        ];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
    }

    [Fact]
    public void Old_samples_change_their_quantile_as_better_ones_arrive()
    {
        var first = DataPool.Update([], [Sample(1, 0, 0.5), Sample(1, 1, 0.1)], 2);
        var second = DataPool.Update(first.Select(e => e.Sample), [Sample(2, 0, 0.9), Sample(2, 1, 0.8)], 2);
        Assert.Equal(0, first[0].Quantile);
        Assert.Equal([1, 1, 0, 0], second.Select(e => e.Quantile));
    }

    private static PoolSample Sample(int iteration, int prompt, double reward) => new(new SampleId(iteration, prompt, 0), new string('a', 64), reward, false);
}
