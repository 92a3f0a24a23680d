using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Tokenizers;
using Alt.Model.Training;

namespace Alt.Tests.Model;

/// <summary>Prompts as instruct checkpoints read them: published templates over tokenizers of the same families.</summary>
public sealed class ChatPromptTests : IDisposable
{
    private const string Llama3 =
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{x}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";

    private const string Qwen2 = "<|im_start|>system\nYou are a helpful "
        + "assistant.<|im_end|>\n<|im_start|>user\n{x}<|im_end|>\n<|im_start|>assistant\n";

    private static readonly FeedbackConfig Feedback = new();

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("alt-chat-prompt-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("llama-3", null, Llama3)]
    [InlineData(
        "llama-3", "Be kind.",
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe "
        + "kind.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{x}<|eot_id|><|start_header_id|>assistant<|end_head"
        + "er_id|>\n\n")]
    [InlineData("qwen2", null, Qwen2)]
    [InlineData("qwen2", "Be kind.", "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n{x}<|im_end|>\n<|im_start|>assistant\n")]
    public void Feedback_stands_where_the_users_message_begins(string kind, string? system, string text)
    {
        var tokenizer = Load(kind).AddSpecialTokens(Conditioning.AddedTokens(Feedback));
        var prompt = PromptEncoder.For(tokenizer, new() { ChatTemplate = true, SystemMessage = system }).Encode("the cat sat");

        Assert.Equal(tokenizer.Encode(text.Replace("{x}", "the cat sat", StringComparison.Ordinal), specialTokens: true), prompt.Tokens);
        var feedback = new Conditioning(Feedback, tokenizer).Of(0);
        Assert.Equal(
            text.Replace("{x}", "Lowest Toxicity<|separator|>the cat sat", StringComparison.Ordinal),
            tokenizer.Decode(prompt.With(feedback)));
        Assert.Equal([.. prompt.With(feedback)], new TrainingExample([.. feedback], prompt.Tokens, [1]) { Lead = prompt.Lead }.Input);
    }

    [Fact]
    public void Where_a_token_reaches_over_the_beginning_of_the_prompt_feedback_stands_before_it()
    {
        var tokenizer = Load("llama-2");
        var prompt = PromptEncoder.For(tokenizer, new() { ChatTemplate = true }).Encode("the cat");

        Assert.Equal(tokenizer.Encode("<s>[INST] the cat [/INST]", specialTokens: true), prompt.Tokens);
        Assert.Equal(" the cat [/INST]", tokenizer.Decode(prompt.Tokens.AsSpan(prompt.Lead), continues: true));
    }

    [Fact]
    public void A_policy_is_sampled_with_what_it_is_trained_on()
    {
        var tokenizer = Load("qwen2").AddSpecialTokens(Conditioning.AddedTokens(Feedback));
        using var policy = new Policy(
            LanguageModel.Create(TinyModel.Config with { Vocabulary = tokenizer.VocabularySize, Positions = 200 }, seed: 1), tokenizer);
        var (options, key, prompts) = (new SamplingOptions { MaxNewTokens = 6 }, new RandomKey(1, 2, Stage.Sampling), new PromptsConfig
        {
            ChatTemplate = true
        });
        var conditioning = new Conditioning(Feedback, tokenizer);

        var samples = PolicySampler.Conditioned(policy, prompts, Feedback, c => c.Of(0))
            .Sample([new Prompt(3, "the cat")], 2, options, 4, key);

        var prompt = PromptEncoder.For(tokenizer, prompts).Encode("the cat");
        var input = new TrainingExample([.. conditioning.Of(0)], prompt.Tokens, samples[0].Tokens) { Lead = prompt.Lead }.Input;
        var jobs = Enumerable.Range(0, 2).Select(k => new SamplingJob(input, key with { Prompt = 3, K = k })).ToArray();
        var expected = new Sampler(policy.Model, options with { BannedTokens = conditioning.BannedTokens }, 4, tokenizer.VocabularySize)
            .Sample(jobs);
        Assert.Equal(expected.Select(generation => generation.Tokens), samples.Select(sample => sample.Tokens));
        Assert.Equal(expected.SelectMany(generation => generation.LogProbs), samples.SelectMany(sample => sample.LogProbs));
    }

    [Fact]
    public void What_reads_like_a_special_token_in_a_prompt_is_text()
    {
        var tokenizer = Load("llama-3");
        var (encoder, end) = (PromptEncoder.For(tokenizer, new() { ChatTemplate = true }), tokenizer.IdOf("<|eot_id|>")!.Value);

        var prompt = encoder.Encode("no <|eot_id|> here");

        Assert.Equal(1, prompt.Tokens.Count(id => id == end));
        Assert.Equal(Llama3.Replace("{x}", "no <|eot_id|> here", StringComparison.Ordinal), tokenizer.Decode(prompt.Tokens));
        Assert.Equal(encoder.Encode("other").Lead, prompt.Lead);
    }

    [Fact]
    public void A_trained_checkpoint_keeps_the_template()
    {
        var tokenizer = Load("llama-3").AddSpecialTokens(Conditioning.AddedTokens(Feedback));
        var saved = _folder.CreateSubdirectory("trained").FullName;
        tokenizer.Save(saved);

        var config = new PromptsConfig { ChatTemplate = true };
        Assert.Equal(
            PromptEncoder.For(tokenizer, config).Encode("the cat").Tokens,
            PromptEncoder.For(Tokenizer.Load(saved), config).Encode("the cat").Tokens);
    }

    [Theory]
    [InlineData(
        null, "the checkpoint's tokenizer has no chat template, expected chat_template.jinja or chat_template in tokenizer_config.json")]
    [InlineData("{{ messages | length }}", "does not write a user's message once and as it is")]
    [InlineData("{{ messages[0].content + messages[0].content }}", "does not write a user's message once and as it is")]
    [InlineData("{{ 'a' if 'cat' in messages[0].content else 'b' }}{{ messages[0].content }}", "around a prompt depends on the prompt cat")]
    public void A_template_that_cannot_wrap_prompts_is_refused_in_one_line(string? template, string expected)
    {
        var tokenizer = Load("llama-3", template ?? "");
        if (template is null)
        {
            File.Delete(Path.Combine(_folder.FullName, "chat_template.jinja"));
            tokenizer = Tokenizer.Load(_folder.FullName);
        }

        var message = Assert.Throws<InputException>(() =>
            PromptEncoder.For(tokenizer, new() { ChatTemplate = true }).Encode("cat")).Message;
        Assert.StartsWith("prompts.chatTemplate", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "prompts.chatTemplate: ")]
    [InlineData("Be kind.", "prompts.systemMessage: ")]
    public void A_template_that_refuses_the_messages_is_told_by_the_setting_that_gave_them(string? system, string setting)
    {
        var tokenizer = Load("llama-3", "{{ raise_exception('only assistants speak') }}");
        var message = Assert.Throws<InputException>(() =>
            PromptEncoder.For(tokenizer, new() { ChatTemplate = true, SystemMessage = system })).Message;
        Assert.StartsWith(setting, message, StringComparison.Ordinal);
        Assert.Contains("only assistants speak", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_chat_template_a_prompt_is_its_own_tokens()
    {
        var tokenizer = Load("llama-3");
        var prompt = PromptEncoder.For(tokenizer, new()).Encode("the cat");

        Assert.Equal(tokenizer.EncodePrompt("the cat"), prompt.Tokens);
        Assert.Equal(1, prompt.Lead);
    }

    [Fact]
    public void The_settings_are_refused_where_they_mean_nothing()
    {
        Assert.Contains(new RunConfig { Prompts = new() { ChatTemplate = true } }.Problems(), p =>
            p.StartsWith("prompts.chatTemplate is true, expected model.checkpoint too", StringComparison.Ordinal));
        Assert.Contains(new RunConfig { Prompts = new() { SystemMessage = "Be kind." } }.Problems(), p =>
            p.StartsWith("prompts.systemMessage is given, expected prompts.chatTemplate too", StringComparison.Ordinal));
        Assert.DoesNotContain(
            new RunConfig
            {
                Model = new() { Checkpoint = "x" },
                Prompts = new() { ChatTemplate = true, SystemMessage = "Be kind." }
            }.Problems(),
            p => p.StartsWith("prompts", StringComparison.Ordinal));
    }

    private Tokenizer Load(string kind, string? template = null)
    {
        var (name, begin, end) = kind switch
        {
            "llama-3" => ("llama-3-instruct", "<|begin_of_text|>", "<|eot_id|>"),
            "qwen2" => ("qwen2-instruct", null, "<|im_end|>"),
            _ => ("llama-2-chat", "<s>", "</s>"),
        };
        File.Copy(
            Repository.PathOf("tests", "Golden", "tokenizers", kind, "tokenizer.json"), Path.Combine(_folder.FullName, "tokenizer.json"));
        File.WriteAllText(
            Path.Combine(_folder.FullName, "tokenizer_config.json"),
            new JsonObject { ["bos_token"] = begin, ["eos_token"] = end }.ToJsonString());
        File.WriteAllText(
            Path.Combine(_folder.FullName, "chat_template.jinja"),
            template ?? File.ReadAllText(Repository.PathOf("tests", "Golden", "chat", $"{name}.jinja")));
        return Tokenizer.Load(_folder.FullName);
    }
}
