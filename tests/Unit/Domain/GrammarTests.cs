using Alt.Domain;

namespace Alt.Tests.Domain;

public sealed class GrammarTests
{
    private static readonly CommentGrammar Grammar = new(
        [
            new GrammarTone("kind", 1, false, new Dictionary<string, IReadOnlyList<string>> { ["adj"] = ["lovely", "superb"] }),
            new GrammarTone("hostile", 3, true, new Dictionary<string, IReadOnlyList<string>> { ["adj"] = ["rotten", "horrid"] }),
        ],
        new Dictionary<string, IReadOnlyList<string>> { ["topic"] = ["park", "zoo", "fair"] },
        ["the {topic}"],
        ["is {adj} and {adj} like the {topic} ."]);

    [Fact]
    public void A_comment_is_the_same_for_the_same_seed_and_ordinal_in_any_order()
    {
        Comment[] forwards = [.. Enumerable.Range(0, 50).Select(i => Grammar.Generate(1, i))];
        Comment[] backwards = [.. Enumerable.Range(0, 50).Reverse().Select(i => Grammar.Generate(1, i)).Reverse()];
        Assert.Equal(forwards, backwards);
        Assert.NotEqual(forwards, Enumerable.Range(0, 50).Select(i => Grammar.Generate(2, i)));
    }

    [Fact]
    public void Tones_come_with_their_weights_and_no_filler_comes_twice()
    {
        Comment[] comments = [.. Enumerable.Range(0, 4_000).Select(i => Grammar.Generate(1, i))];
        Assert.InRange(comments.Average(c => c.Tone == "hostile" ? 1 : 0), 0.73, 0.77);
        Assert.All(comments, c => Assert.Equal(2, "lovely superb rotten horrid".Split(' ').Count(c.Continuation.Split(' ').Contains)));
        Assert.All(comments, c => Assert.Equal(2, "park zoo fair".Split(' ').Count((c.Prompt + c.Continuation).Split(' ').Contains)));
        Assert.Empty(Grammar.Problems());
    }

    [Theory]
    [InlineData("such a rotten thing", true)]
    [InlineData("horrid", true)]
    [InlineData("rottenness of a lovely kind", false)]
    [InlineData("", false)]
    public void A_text_is_toxic_if_one_of_its_words_is(string text, bool toxic)
    {
        Assert.Equal(toxic, Grammar.IsToxic(text));
    }
}
