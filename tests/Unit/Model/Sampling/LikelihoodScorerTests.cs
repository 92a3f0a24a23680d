using Alt.Model.Sampling;

namespace Alt.Tests.Model;

public class LikelihoodScorerTests
{
    [Fact]
    public void Batches_change_no_score_and_empty_responses_have_none()
    {
        using var model = TinyModel.Create();
        (int[] Prompt, int[] Response)[] rows = [([1, 2], [3, 4, 5]), ([6], []), ([7, 8, 9, 10], [11]), ([1], [2, 3, 4, 5, 6, 7])];
        var together = new LikelihoodScorer(model).Score(rows);
        var alone = rows.Select(row => new LikelihoodScorer(model).Score([row])[0]).ToArray();
        Assert.Equal(new Likelihood(0, 0), together[1]);
        Assert.True(double.IsNaN(together[1].Perplexity));
        Assert.Equal(rows.Select(row => row.Response.Length), together.Select(score => score.Tokens));
        Assert.All(together.Zip(alone), pair => Assert.Equal(pair.Second.LogProbability, pair.First.LogProbability, 1e-4));
    }

    [Fact]
    public void Perplexity_is_the_exponential_of_the_mean_negative_log_likelihood() =>
        Assert.Equal(4, new Likelihood(-3 * Math.Log(4), 3).Perplexity, 1e-12);
}
