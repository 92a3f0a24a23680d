using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra;

public sealed class PromptFileTests : IDisposable
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("alt-prompts-").FullName, "prompts.jsonl");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Fact]
    public void Both_shapes_are_read_and_equal_prompts_keep_their_own_ordinals()
    {
        File.WriteAllText(_file, """
            {"prompt":{"text":"one","toxicity":0.5},"begin":3}
            {"prompt":"two"}

            {"prompt":"one"}

            """);
        Assert.Equal([new Prompt(0, "one"), new Prompt(1, "two"), new Prompt(2, "one")], PromptFile.Read(_file));
    }

    [Fact]
    public void Labelled_rows_are_read_and_missing_scores_are_null()
    {
        File.WriteAllText(_file, """
            {"prompt":{"text":"one","toxicity":0.25},"continuation":{"text":" two","toxicity":null}}
            {"prompt":{"text":"three"},"continuation":{"text":" four","toxicity":1}}
            """);
        Assert.Equal(
            [new LabelledRow("one", 0.25, " two", null), new LabelledRow("three", null, " four", 1)], PromptFile.ReadLabelled(_file));
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        Assert.StartsWith(
            $"{_file}: no such file; expected JSON lines", Assert.Throws<InputException>(() => PromptFile.Read(_file)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_a_line_is_refused()
    {
        File.WriteAllText(_file, "\n");
        Assert.StartsWith(
            $"{_file}: holds no line;", Assert.Throws<InputException>(() => PromptFile.Read(_file)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("secret", "not valid JSON")]
    [InlineData("""{"prompt":"secret" """, "not valid JSON")]
    [InlineData("\"secret\"", "'prompt' is missing or has no text")]
    [InlineData("""{"text":"secret"}""", "'prompt' is missing or has no text")]
    [InlineData("""{"prompt":{"text":7},"a":"secret"}""", "'prompt' is missing or has no text")]
    [InlineData("""{"prompt":"","a":"secret"}""", "the text of 'prompt' is empty")]
    [InlineData("""{"prompt":"secret\ud83d"}""", "the text of 'prompt' is not valid Unicode")]
    public void A_malformed_line_is_named_by_its_number_without_its_text(string line, string problem)
    {
        File.WriteAllLines(_file, ["""{"prompt":"one"}""", "", line]);
        var message = Assert.Throws<InputException>(() => PromptFile.Read(_file)).Message;
        Assert.Equal($"{_file}:3: {problem}; expected " + """{"prompt":{"text":"…"}} or {"prompt":"…"}""", message);
    }

    [Theory]
    [InlineData(
        """{"prompt":{"text":"one","toxicity":"secret"},"continuation":{"text":" two"}}""",
        "the toxicity of 'prompt' is not a number from 0 to 1")]
    [InlineData(
        """{"prompt":{"text":"one","toxicity":1.5},"continuation":{"text":"secret"}}""",
        "the toxicity of 'prompt' is not a number from 0 to 1")]
    [InlineData("""{"prompt":{"text":"secret","toxicity":0.5}}""", "'continuation' is missing or has no text")]
    public void A_malformed_score_is_named_by_its_line_without_its_text(string line, string problem)
    {
        File.WriteAllText(_file, line);
        var message = Assert.Throws<InputException>(() => PromptFile.ReadLabelled(_file)).Message;
        Assert.StartsWith($"{_file}:1: {problem}; expected ", message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [FactOnSharedData]
    public void Every_file_of_real_prompts_is_read()
    {
        Assert.Equal(3_500, PromptFile.Read(SharedData.PathOf("real-toxicity-prompts", "train.jsonl")).Count);
        Assert.Equal(500, PromptFile.ReadLabelled(SharedData.PathOf("real-toxicity-prompts", "validation.jsonl")).Count);
        Assert.Equal(4_000, PromptFile.Read(SharedData.PathOf("writing-prompts", "prompts.jsonl")).Count);
        Assert.Equal(2_500, PromptFile.Read(SharedData.PathOf("tldr", "prompts.jsonl")).Count);
    }
}
