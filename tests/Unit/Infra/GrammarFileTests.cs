using System.Security.Cryptography;
using System.Text;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra;

public sealed class GrammarFileTests : IDisposable
{
    private static readonly string Shipped = Repository.PathOf("infra", "experiments", "grammar.yaml");

    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("alt-grammar-").FullName, "grammar.yaml");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Fact]
    public void The_shipped_grammar_makes_the_comments_that_its_header_promises()
    {
        var grammar = GrammarFile.Read(Shipped);
        Comment[] comments = [.. Enumerable.Range(0, 20_000).Select(i => grammar.Generate(1, i))];

        Assert.InRange(comments.Average(c => grammar.IsToxic(c.Continuation) ? 1 : 0), 0.47, 0.49);
        Assert.All(comments, c => Assert.Equal(c.Tone is "grumpy" or "hostile", grammar.IsToxic(c.Continuation)));
        Assert.DoesNotContain(comments, c => grammar.IsToxic(c.Prompt));
        Assert.Equal(318, comments.SelectMany(c => (c.Prompt + c.Continuation).Split(' ')).Distinct().Count());
        Assert.All(comments, c => Assert.InRange(c.Prompt.Split(' ').Length, 7, 11));
        Assert.All(comments, c => Assert.StartsWith(" ", c.Continuation, StringComparison.Ordinal));
        Assert.All(comments, c => Assert.EndsWith(" .", c.Continuation, StringComparison.Ordinal));
        Assert.DoesNotContain(comments, c => (c.Prompt + c.Continuation).Contains("  ", StringComparison.Ordinal));

        // No tone is longer than another: every template has four tone slots.
        foreach (var tone in comments.GroupBy(c => c.Tone))
        {
            Assert.InRange(tone.Average(c => c.Continuation.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length), 21.2, 21.8);
        }
    }

    [Fact]
    public void The_shipped_comments_are_the_same_for_the_same_seed_for_ever()
    {
        var grammar = GrammarFile.Read(Shipped);
        var text = string.Join(
            '\n', Enumerable.Range(0, 1_000).Select(i => grammar.Generate(7, i)).Select(c => $"{c.Tone}: {c.Prompt}{c.Continuation}"));
        Assert.Equal(
            "299a301936c25b45f1d68c09b9684e40c48979f00583a6d870ced24961a13b9b",
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }

    [Theory]
    [InlineData("weight: 1", "weigth: 1", ":3: unknown key 'weigth'; a tone has the keys name, weight, toxic, slots")]
    [InlineData("weight: 1", "weight: much", ":3: 'weight' is no number")]
    [InlineData("toxic: true", "toxic: perhaps", ":4: 'toxic' is neither true nor false")]
    [InlineData("    toxic: true\n", "", ":2: 'toxic' is missing; a tone has the keys name, weight, toxic, slots")]
    [InlineData("[\"the {topic}\"]", "the {topic}", ":8: 'prompts' is no list")]
    [InlineData("{topic}\"]", "{topic}\"", ": not valid YAML: look for a bracket that is not closed")]
    [InlineData("weight: 1", "weight: 1: 2", ":3: not valid YAML: ")]
    [InlineData("weight: 1", "weight: 0", ": tone 'bad' has the weight 0, expected more than 0")]
    [InlineData("the {topic}", "the {place}", ": the prompt 'the {place}' needs 1 different fillers for {place} in 'common'")]
    [InlineData(
        "is {adj} .", "is {adj} {adj} .",
        ": the continuation 'is {adj} {adj} .' needs 2 different fillers for {adj} in the tone 'bad' or in 'common'")]
    [InlineData(
        "is {adj} .", "and the {topic} is {adj} .",
        ": the continuation 'and the {topic} is {adj} .' needs 2 different fillers for {topic} in the tone 'bad' or in 'common'")]
    [InlineData(
        "topic: [park]", "topic: [rotten park]",
        ": the tone word 'rotten' must be one word that stands nowhere else in the grammar, since it alone decides a label")]
    public void A_mistake_is_named_with_its_place(string right, string wrong, string message)
    {
        const string valid = "tones:\n  - name: bad\n    weight: 1\n    toxic: true\n    slots:\n      adj: [rotten]\ncommon: {topic: "
            + "[park]}\nprompts: [\"the {topic}\"]\ncontinuations: [\"is {adj} .\"]\n";
        File.WriteAllText(_file, valid.Replace(right, wrong, StringComparison.Ordinal));
        Assert.StartsWith(_file + message, Assert.Throws<InputException>(() => GrammarFile.Read(_file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        Assert.StartsWith(
            $"{_file}: no such file;", Assert.Throws<InputException>(() => GrammarFile.Read(_file)).Message, StringComparison.Ordinal);
    }
}
