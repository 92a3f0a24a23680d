using Alt.Domain;
using Alt.Model.Training;

namespace Alt.Tests.Model;

public class PretrainingTests
{
    private static readonly RunConfig Config = new()
    {
        Data = new() { Prompts = "prompts.jsonl", Evaluation = "evaluation.jsonl", LabelledShare = 0.75 },
        Model = new() { Vocabulary = 320, Layers = 1, Width = 16, Heads = 2, Positions = 32, Pretraining = new() { BlockLength = 8 } },
    };

    [Fact]
    public void Labelled_rows_are_repeated_until_they_make_up_their_share()
    {
        PretrainingText[] texts = [
            new(PretrainingSource.Labelled, "a b c d e f g h i j k l"),
            .. Enumerable.Repeat(new PretrainingText(PretrainingSource.Text, "one two three four five six seven eight"), 50)
        ];
        using var policy = Pretraining.New(Config, texts);
        var examples = Pretraining.Examples(texts, policy.Tokenizer, Config);
        var a = policy.Tokenizer.Encode("a")[0];
        var plain = Pretraining.Examples([.. texts.Skip(1)], policy.Tokenizer, Config).Count;
        Assert.Equal(4 * plain, examples.Count);
        Assert.Contains(examples, e => e.Response.Contains(a));
    }

    [Fact]
    public void The_tags_words_are_whole_tokens_although_no_text_holds_them()
    {
        PretrainingText[] texts = [.. Enumerable.Repeat(
            new PretrainingText(PretrainingSource.Text, "one two three four five six seven eight"), 500)];
        using var policy = Pretraining.New(Config, texts);
        Assert.All(Config.Feedback.Tags, tag => Assert.InRange(policy.Tokenizer.Encode(tag).Length, 2, 6));
    }

    [Fact]
    public void A_new_model_is_the_same_for_the_same_seed()
    {
        PretrainingText[] texts = [new(PretrainingSource.Text, "one two three four five six seven eight")];
        using var one = Pretraining.New(Config, texts);
        using var same = Pretraining.New(Config, texts);
        using var other = Pretraining.New(Config with { Seed = 2 }, texts);
        Assert.Equal(one.Model.WeightsHash(), same.Model.WeightsHash());
        Assert.NotEqual(one.Model.WeightsHash(), other.Model.WeightsHash());
    }
}
