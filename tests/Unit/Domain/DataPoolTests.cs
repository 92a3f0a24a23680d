using Alt.Domain;

namespace Alt.Tests.Domain;

public class DataPoolTests
{
    [Theory]
    [InlineData(14, 5, new[] { 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4 })]
    [InlineData(3, 5, new[] { 0, 1, 3 })]
    [InlineData(1, 5, new[] { 2 })]
    [InlineData(10, 5, new[] { 0, 0, 1, 1, 2, 2, 3, 3, 4, 4 })]
    public void Every_quantile_takes_the_floor_and_the_worst_the_remainder(int rewards, int quantiles, int[] expected) =>
        Assert.Equal(expected, DataPool.Quantiles([.. Enumerable.Range(0, rewards).Select(i => (double)-i)], quantiles));

    [Fact]
    public void Ninety_six_rewards_make_quantiles_of_19_19_19_19_20() =>
        Assert.Equal(
            [19, 19, 19, 19, 20],
            DataPool.Quantiles([.. Enumerable.Range(0, 96).Select(i => (double)i)], 5)
                .GroupBy(q => q).OrderBy(g => g.Key).Select(g => g.Count()));

    [Fact]
    public void Equal_rewards_keep_the_order_of_the_record() =>
        Assert.Equal([0, 0, 1, 1], DataPool.Quantiles([1, 1, 1, 0], 2));

    [Fact]
    public void Rewards_that_are_all_equal_take_the_middle_quantile() =>
        Assert.Equal([2, 2, 2, 2, 2, 2], DataPool.Quantiles([1, 1, 1, 1, 1, 1], 5));

    [Fact]
    public void Quantiles_of_a_prompt_rank_its_own_samples()
    {
        PoolSample[] samples = [Sample(1, 0, .9), Sample(1, 1, .1), Sample(1, 0, .8, k: 1), Sample(1, 1, .2, k: 1)];
        Assert.Equal([0, 1, 1, 0], DataPool.Update([], samples, 2, Ranking.Prompt).Select(e => e.Quantile));
        Assert.Equal([0, 0, 1, 1], DataPool.Update([], samples, 2).Select(e => e.Quantile));
    }

    [Fact]
    public void Categories_take_the_place_of_quantiles()
    {
        var sample = Sample(1, 0, .5) with { Category = 2 };
        Assert.Equal(2, Assert.Single(DataPool.Update([], [sample], 4, Ranking.Category)).Quantile);
        Assert.Throws<InvalidOperationException>(() => DataPool.Update([], [sample], 2, Ranking.Category));
        Assert.Throws<InvalidOperationException>(() => DataPool.Update([], [Sample(1, 0, .5)], 4, Ranking.Category));
    }

    [Fact]
    public void What_rewards_do_not_decide_is_counted()
    {
        PoolSample[] samples = [
            Sample(1, 0, .9), Sample(1, 0, .5, k: 1), Sample(1, 0, .5, k: 2), Sample(1, 0, .1, k: 3), Sample(1, 1, .4),
            Sample(1, 1, .4, k: 1)
        ];
        Assert.Equal(new RankingDoubts(2, 0, 2), DataPool.Doubts(DataPool.Update([], samples, 2, Ranking.Prompt), 2, Ranking.Prompt));
        Assert.Equal(new RankingDoubts(2, 6, 2), DataPool.Doubts(DataPool.Update([], samples, 7, Ranking.Prompt), 7, Ranking.Prompt));
        Assert.Equal(new RankingDoubts(0, 0, 0), DataPool.Doubts(DataPool.Update([], samples, 1), 1, Ranking.Pool));
    }

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

    private static PoolSample Sample(int iteration, int prompt, double reward, int k = 0) =>
        new(new SampleId(iteration, prompt, k), new string('a', 64), reward, false);
}
