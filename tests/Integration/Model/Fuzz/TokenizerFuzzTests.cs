using Alt.Model.Chat;
using Alt.Model.Tokenizers;

namespace Alt.Tests.Model;

public sealed class TokenizerFuzzTests : IDisposable
{
    private const string Sample = " the <|endoftext|><s> cat's 1234 caf\u00E9 \U0001F600\n\n  x";

    private static readonly ChatMessage[] Messages = [
        new("system", "Be brief."), new("user", " Hi. "), new("assistant", "Hello."), new("user", "What's new?")
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("alt-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("gpt-neox")]
    [InlineData("llama-3")]
    [InlineData("llama-2")]
    [InlineData("llama-2-first")]
    public void A_mutated_tokenizer_loads_or_is_refused_with_one_line(string kind)
    {
        File.Copy(Repository.PathOf("tests", "Golden", "tokenizers", kind, "tokenizer.json"), PathOf("tokenizer.json"));
        RequireBoth(new MutatedFile(PathOf("tokenizer.json")).LoadAll(650, Use));
    }

    [Theory]
    [InlineData("vocab.json")]
    [InlineData("merges.txt")]
    public void A_mutated_vocabulary_or_list_of_merges_loads_or_is_refused_with_one_line(string name)
    {
        Tokenizer.Train(["the cat sat on the mat", "the cat's hat"], 270, ["<|endoftext|>"]).Save(_folder);
        File.Delete(PathOf("tokenizer.json"));
        RequireBoth(new MutatedFile(PathOf(name)).LoadAll(1_250, Use));
    }

    [Fact]
    public void A_mutated_tokenizers_config_loads_or_is_refused_with_one_line()
    {
        File.Copy(Repository.PathOf("tests", "Golden", "tokenizers", "qwen2", "tokenizer.json"), PathOf("tokenizer.json"));
        File.WriteAllText(PathOf("tokenizer_config.json"), """
            {
              "add_prefix_space": false,
              "bos_token": null,
              "chat_template": [{"name": "tool_use", "template": ""}, {"name": "default", "template": "{% for m in messages %}{{ m['role'] + ': ' + m.content | trim ~ eos_token }}\n{% endfor %}"}],
              "eos_token": {"__type": "AddedToken", "content": "<|im_end|>", "lstrip": false},
              "model_max_length": 32768,
              "tokenizer_class": "Qwen2Tokenizer"
            }
            """);
        RequireBoth(new MutatedFile(PathOf("tokenizer_config.json"))
            .LoadAll(2_500, () => ChatTemplate.Load(_folder)?.Render(Messages, addGenerationPrompt: true)));
    }

    [Theory]
    [InlineData("llama-2-chat")]
    [InlineData("qwen2.5-instruct")]
    [InlineData("turns")]
    public void A_mutated_chat_template_renders_or_is_refused_with_one_line(string name)
    {
        File.Copy(Repository.PathOf("tests", "Golden", "chat", name + ".jinja"), PathOf("chat_template.jinja"));
        File.WriteAllText(PathOf("tokenizer_config.json"), """{"bos_token": "<s>", "eos_token": "</s>"}""");
        // The budget of steps for four messages allows some megabytes, whatever the template's size.
        RequireBoth(new MutatedFile(PathOf("chat_template.jinja"), AllowedAlways: 64 << 20)
            .LoadAll(850, () => ChatTemplate.Load(_folder)!.Render(Messages, addGenerationPrompt: true)));
    }

    private static void RequireBoth((int Loaded, int Refused) counts) =>
        Assert.True(counts is { Loaded: > 20, Refused: > 20 }, $"{counts.Loaded} loaded, {counts.Refused} refused.");

    private string PathOf(string name) => Path.Combine(_folder, name);

    private void Use()
    {
        var tokenizer = Tokenizer.Load(_folder);
        tokenizer.Decode(tokenizer.Encode(Sample, specialTokens: true));
        tokenizer.Decode(tokenizer.Encode(Sample));
    }
}
