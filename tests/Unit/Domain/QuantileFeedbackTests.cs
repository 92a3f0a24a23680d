using Alt.Domain;

namespace Alt.Tests.Domain;

public sealed class QuantileFeedbackTests
{
    [Theory]
    [InlineData(0, "a b c d e")]
    [InlineData(2, "a e")]
    [InlineData(3, "a c e")]
    [InlineData(4, "a b c e")]
    [InlineData(5, "a b c d e")]
    public void Fewer_quantiles_spread_over_the_tags_from_best_to_worst(int quantiles, string expected) =>
        Assert.Equal(expected.Split(' '), Config(quantiles).QuantileFeedback().Tags);

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(-1)]
    public void Every_quantile_needs_a_tag_of_its_own(int quantiles) =>
        Assert.Contains(Config(quantiles).Problems(), p => p.StartsWith("selection.quantiles", StringComparison.Ordinal));

    private static RunConfig Config(int quantiles) =>
        new() { Feedback = new() { Tags = ["a", "b", "c", "d", "e"] }, Selection = new() { Quantiles = quantiles } };
}
