using Alt.Domain;
using Alt.Model.Sampling;

namespace Alt.Tests.Model;

public class TokenDistributionTests
{
    private static readonly RandomKey Key = new(1, 0, Stage.Sampling);

    [Theory]
    [InlineData(1, 1.0, 0, 1.0)]
    [InlineData(7, 1.0, 0, 0.7)]
    [InlineData(300, 0.9, 0, 1.0)]
    [InlineData(300, 0.5, 0, 1.3)]
    [InlineData(1000, 1.0, 40, 1.0)]
    [InlineData(1000, 0.8, 100, 0.9)]
    [InlineData(1000, 0.0001, 0, 1.0)]
    public void A_draw_is_what_sorting_the_whole_distribution_gives(int vocabulary, double topP, int topK, double temperature)
    {
        var options = new SamplingOptions { TopP = topP, TopK = topK, Temperature = temperature };
        var distribution = new TokenDistribution(options, vocabulary);
        for (var i = 0; i < 200; i++)
        {
            var logits = Enumerable.Range(0, vocabulary)
                .Select(id => (float)(3 * Philox.Normal(Key with { Prompt = i }, (uint)id))).ToArray();
            var u = Philox.Uniform(Key with { Prompt = i, K = 1 }, 0);
            var (token, logProb) = distribution.Draw(logits, [], u);
            var (expected, probability, margin) = DrawBySorting(logits, options, u);
            // A uniform that falls on the border of two tokens may go either way in single precision.
            Assert.True(token == expected || margin < 1e-5, $"{token} instead of {expected}, {margin} from the border");
            if (token == expected)
            {
                Assert.Equal(Math.Log(probability), logProb, 1e-4);
            }
        }
    }

    [Fact]
    public void Tokens_come_as_often_as_they_are_likely()
    {
        var distribution = new TokenDistribution(new SamplingOptions(), 3);
        float[] logits = [MathF.Log(0.7f), MathF.Log(0.2f), MathF.Log(0.1f)];
        var counts = new int[3];
        for (var i = 0; i < 20_000; i++)
        {
            counts[distribution.Draw(logits, [], Philox.Uniform(Key, (uint)i)).Token]++;
        }

        Assert.Equal(0.7, counts[0] / 20_000.0, 0.015);
        Assert.Equal(0.2, counts[1] / 20_000.0, 0.015);
        Assert.Equal(0.1, counts[2] / 20_000.0, 0.015);
    }

    [Fact]
    public void Banned_tokens_never_come_even_where_they_are_all_but_certain()
    {
        var distribution = new TokenDistribution(new SamplingOptions { BannedTokens = [2] }, 4);
        for (var i = 0; i < 100; i++)
        {
            Assert.InRange(distribution.Draw([0f, 0, 500, 400], [3], Philox.Uniform(Key, (uint)i)).Token, 0, 1);
        }
    }

    [Fact]
    public void Equally_likely_tokens_are_kept_in_the_order_of_their_ids()
    {
        var distribution = new TokenDistribution(new SamplingOptions { TopK = 3 }, 600);
        var tokens = Enumerable.Range(0, 300).Select(i => distribution.Draw(new float[600], [], Philox.Uniform(Key, (uint)i)).Token);
        Assert.Equal([0, 1, 2], tokens.Distinct().Order());
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.99999999999999989)]
    public void The_ends_of_the_unit_interval_give_possible_tokens(double u)
    {
        var logits = Enumerable.Repeat(float.NegativeInfinity, 700).ToArray();
        (logits[100], logits[500]) = (0, 0);
        Assert.Equal(u == 0 ? 100 : 500, new TokenDistribution(new SamplingOptions(), 700).Draw(logits, [], u).Token);
    }

    [Fact]
    public void Logits_that_are_no_numbers_are_refused() =>
        Assert.Throws<InvalidOperationException>(() => new TokenDistribution(new SamplingOptions(), 3).Draw([float.NaN, 0, 1], [], 0.5));

    private static (int Token, double Probability, double Margin) DrawBySorting(float[] logits, SamplingOptions options, double u)
    {
        var maximum = logits.Max();
        var weights = logits.Select(logit => Math.Exp((logit - maximum) / options.Temperature)).ToArray();
        var order = Enumerable.Range(0, logits.Length).OrderByDescending(id => weights[id]).ThenBy(id => id).ToArray();
        var kept = order.Take(options.TopK > 0 ? options.TopK : logits.Length).ToArray();
        var limit = options.TopP * kept.Sum(id => weights[id]);
        var before = 0.0;
        var nucleus = kept.TakeWhile(id => (before += weights[id]) - weights[id] < limit).Order().ToArray();
        var total = nucleus.Sum(id => weights[id]);
        var cumulative = 0.0;
        foreach (var id in nucleus)
        {
            cumulative += weights[id] / total;
            if (u < cumulative)
            {
                return (id, weights[id] / total, Math.Min(cumulative - u, u - cumulative + weights[id] / total));
            }
        }

        return (nucleus[^1], weights[nucleus[^1]] / total, 0);
    }
}
