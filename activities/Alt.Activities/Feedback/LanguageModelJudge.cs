using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>
/// A language model as judge: it is asked for a category (ALT_LMC, SteerLM), or for feedback in its own words with a score (ALT_LMU).
/// </summary>
internal sealed class LanguageModelJudge(JudgeConfig.LanguageModel config, JudgeTemplate template, RemoteJudge judge) : IJudge
{
    public const string Service = "chat";

    private readonly IReadOnlyList<string> _categories = config.Names();

    public string Name => "llm";

    public string Version => judge.Version;

    /// <summary>The model's name, and a digest of the question and of every setting that a reply depends on.</summary>
    public static string VersionOf(JudgeConfig.LanguageModel config, JudgeTemplate template)
    {
        var (categories, c) = (config.Names(), config);
        var settings = AltJson.Hash(
            new { c.Endpoint, template.Hash, c.Reply, Categories = categories, c.Temperature, c.MaxTokens, c.Structured });
        return $"{config.Model}@{settings[..12]}";
    }

    /// <param name="shipped">The shipped question that takes the place of the usual one.</param>
    public static JudgeTemplate TemplateOf(JudgeConfig.LanguageModel config, string? shipped = null) =>
        JudgeTemplate.Load(config.Template, shipped ?? (config.Reply == JudgeReply.Category ? "category" : "unconstrained"));

    public Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token) =>
        judge.JudgeEachAsync(samples, progress, sample => JudgeAsync(sample, token));

    private async Task<Judgement> JudgeAsync(FeedbackRequest sample, CancellationToken token)
    {
        var answer = await judge.AskAsync(sample.Id, Question(sample.Prompt, sample.Text), config.MaxTokens, token);
        var said = answer.Body is null ? null : Said(answer.Body);
        if (answer.Body is not null && said is null)
        {
            // A proxy's answer in the service's place must not be kept as the service's.
            await judge.ForgetAsync(answer.Call, token);
        }

        var outcome = answer.Problem
            ?? (said is null ? new FeedbackOutcome.Failed("NoReply: the endpoint sent something that is no chat completion") : Read(said));
        return new Judgement(sample.Id, outcome) { Calls = [said is null ? answer.Call : answer.Call with { Reply = said }] };
    }

    private ReadOnlyMemory<byte> Question(string prompt, string response)
    {
        var question = new JsonObject
        {
            ["model"] = config.Model,
            ["messages"] = new JsonArray(
                [.. template.Fill(prompt, response).Select(m => new JsonObject { ["role"] = m.Role, ["content"] = m.Text })]),
            ["temperature"] = config.Temperature,
            ["max_tokens"] = config.MaxTokens,
        };
        if (config.Structured)
        {
            question["response_format"] = new JsonObject
            {
                ["type"] = "json_schema",
                ["json_schema"] = new JsonObject { ["name"] = "judgement", ["strict"] = true, ["schema"] = Schema() },
            };
        }

        return JsonSerializer.SerializeToUtf8Bytes(question, AltJson.Options);
    }

    private JsonObject Schema()
    {
        JsonObject properties = config.Reply == JudgeReply.Category
            ? new()
            {
                ["category"] = new JsonObject
                {
                    ["type"] = "string",
                    ["enum"] = new JsonArray([.. _categories.Select(c => JsonValue.Create(c))])
                }
            }
            : new()
            {
                ["analysis"] = new JsonObject { ["type"] = "string" },
                ["feedback"] = new JsonObject { ["type"] = "string" },
                ["score"] = new JsonObject
                {
                    ["type"] = "integer",
                    ["enum"] = new JsonArray([.. Enumerable.Range(0, JudgeReplies.Scores).Select(s => JsonValue.Create(s))])
                },
            };
        return new JsonObject
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["required"] = new JsonArray([.. properties.Select(p => JsonValue.Create(p.Key))]),
            ["additionalProperties"] = false,
        };
    }

    /// <summary>What the model wrote; null where the body is no chat completion.</summary>
    private static string? Said(string body) => ReplyJson.Read(() =>
        JsonNode.Parse(body) is JsonObject reply && reply["choices"] is JsonArray { Count: > 0 } choices && choices[0] is JsonObject choice
            && choice["message"] is JsonObject message && message["content"] is JsonValue content
            && content.TryGetValue<string>(out var text)
            ? text
            : null);

    private FeedbackOutcome Read(string said) => (FeedbackOutcome?)Labelled(said) ?? new FeedbackOutcome.Unparsed(said);

    private FeedbackOutcome.Labelled? Labelled(string said)
    {
        var plain = config.Structured && Fields(said) is { } fields ? fields : said;
        if (config.Reply == JudgeReply.Category)
        {
            return JudgeReplies.Category(plain, _categories) is { } category
                ? new(Rewards.OfCategory(category, _categories.Count)) { Category = category }
                : null;
        }

        const int Best = JudgeReplies.Scores - 1;
        return JudgeReplies.Unconstrained(plain) is var (text, score)
            ? new((double)score / Best) { Category = Best - score, Text = text }
            : null;
    }

    /// <summary>A structured reply in the plain form; null if it is not JSON, and then the plain reader tries it.</summary>
    private string? Fields(string said) => ReplyJson.Read(() =>
        JsonNode.Parse(said) is not JsonObject fields ? null
        : config.Reply == JudgeReply.Category ? fields["category"]?.ToString()
        : $"Feedback: {fields["feedback"]}\nScore: {fields["score"]}");
}
