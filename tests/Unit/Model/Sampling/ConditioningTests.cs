using Alt.Domain;
using Alt.Model.Sampling;
using Alt.Model.Tokenizers;

namespace Alt.Tests.Model;

public class ConditioningTests
{
    private static readonly FeedbackConfig Text = new();
    private static readonly FeedbackConfig Special = new() { Encoding = TagEncoding.Special };

    [Fact]
    public void A_text_tag_is_its_words_and_the_separator()
    {
        var tokenizer = TokenizerFor(Text);
        var feedback = new Conditioning(Text, tokenizer).Of(0);
        Assert.Equal("Lowest Toxicity", tokenizer.Decode([.. feedback.SkipLast(1)]));
        Assert.Equal(tokenizer.IdOf("<|separator|>"), feedback[^1]);
    }

    [Fact]
    public void A_special_tag_is_one_token_and_the_separator()
    {
        var conditioning = new Conditioning(Special, TokenizerFor(Special));
        Assert.All(Enumerable.Range(0, 5), quantile => Assert.Equal(2, conditioning.Of(quantile).Count));
        Assert.Equal(6, conditioning.BannedTokens.Count);
        Assert.Equal(5, Enumerable.Range(0, 5).Select(quantile => conditioning.Of(quantile)[0]).Distinct().Count());
    }

    [Fact]
    public void Any_text_can_be_feedback_where_tags_are_text() =>
        Assert.NotEmpty(new Conditioning(Text, TokenizerFor(Text)).Of("be kind"));

    [Fact]
    public void Where_tags_are_special_an_unknown_one_is_refused_with_the_known()
    {
        var error = Assert.Throws<InputException>(() => new Conditioning(Special, TokenizerFor(Special)).Of("be kind"));
        Assert.Contains("Lowest Toxicity", error.Message, StringComparison.Ordinal);
    }

    private static Tokenizer TokenizerFor(FeedbackConfig config) =>
        Tokenizer.Train(Enumerable.Repeat("Lowest Toxicity and some more words", 20), 300, ["<|endoftext|>"])
            .AddSpecialTokens(Conditioning.AddedTokens(config));
}
