using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>Perspective's comment analyser: the reward is 1 - the attribute's summary score (paper section 4.1).</summary>
/// <remarks>Perspective changes its models and names no version, so every call records when it was answered.</remarks>
internal sealed class PerspectiveProvider(FeedbackProvider.Perspective config, RemoteJudge judge) : IFeedbackProvider
{
    public const string Service = "perspective", Path = "/v1alpha1/comments:analyze?key={key}";

    public string Name => Service;

    public string Version => judge.Version;

    public static string VersionOf(FeedbackProvider.Perspective config) =>
        $"commentanalyzer/v1alpha1/{config.Attribute}/{config.Language}/{(config.WithPrompt ? "prompt and response" : "response")}";

    public Task<IReadOnlyList<Judgement>> JudgeAsync(IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token) =>
        judge.JudgeEachAsync(samples, progress, sample => JudgeAsync(sample, token));

    private async Task<Judgement> JudgeAsync(FeedbackRequest sample, CancellationToken token)
    {
        var question = new JsonObject
        {
            ["comment"] = new JsonObject { ["text"] = config.WithPrompt ? sample.Prompt + sample.Text : sample.Text },
            ["languages"] = new JsonArray(config.Language),
            ["requestedAttributes"] = new JsonObject { [config.Attribute] = new JsonObject() },
            ["doNotStore"] = true,
        };
        var answer = await judge.AskAsync(sample.Id, JsonSerializer.SerializeToUtf8Bytes(question, AltJson.Options), 0, token);
        var outcome = answer.Problem ?? (Score(answer.Body!) is { } score ? new FeedbackOutcome.Labelled(1 - score) : new FeedbackOutcome.Unparsed(answer.Body!));
        return new Judgement(sample.Id, outcome) { Calls = [answer.Call] };
    }

    private double? Score(string body)
    {
        try
        {
            var value = JsonNode.Parse(body)?["attributeScores"]?[config.Attribute]?["summaryScore"]?["value"]?.ToString();
            return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var score) && score is >= 0 and <= 1 ? score : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
