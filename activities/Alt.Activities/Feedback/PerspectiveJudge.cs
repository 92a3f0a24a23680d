using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>
/// Perspective's comment analyser: the reward is 1 - the largest summary score of the attributes, usually one (paper section 4.1).
/// </summary>
/// <remarks>
/// Perspective changes its models and names no version, so every call records when it was answered. Each comment is a request of its own:
/// the quota counts comments, and so each has its own errors, retries and place in the cache.
/// </remarks>
internal sealed class PerspectiveJudge(JudgeConfig.Perspective config, RemoteJudge judge) : IJudge
{
    public const string Service = "perspective", Path = "/v1alpha1/comments:analyze?key={key}";

    public string Name => Service;

    public string Version => judge.Version;

    public static string VersionOf(JudgeConfig.Perspective config) =>
        $"commentanalyzer/v1alpha1/{string.Join('+', config.Attributes)}/{config.Language}/"
        + $"{(config.WithPrompt ? "prompt and response" : "response")}";

    public Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token) =>
        judge.JudgeEachAsync(samples, progress, sample => JudgeAsync(sample, token));

    private async Task<Judgement> JudgeAsync(FeedbackRequest sample, CancellationToken token)
    {
        var question = new JsonObject
        {
            ["comment"] = new JsonObject { ["text"] = config.WithPrompt ? sample.Prompt + sample.Text : sample.Text },
            ["languages"] = new JsonArray(config.Language),
            ["requestedAttributes"] = new JsonObject(config.Attributes.Select(a => KeyValuePair.Create(a, (JsonNode?)new JsonObject()))),
            ["doNotStore"] = true,
        };
        var answer = await judge.AskAsync(sample.Id, JsonSerializer.SerializeToUtf8Bytes(question, AltJson.Options), 0, token);
        var outcome = answer.Problem
            ?? (Score(answer.Body!) is { } score ? new FeedbackOutcome.Labelled(1 - score) : new FeedbackOutcome.Unparsed(answer.Body!));
        return new Judgement(sample.Id, outcome) { Calls = [answer.Call] };
    }

    private double? Score(string body)
    {
        return ReplyJson.Read(() =>
        {
            var scores = JsonNode.Parse(body)?["attributeScores"];
            // A missing score makes the whole reply unreadable: the largest is then unknown.
            return config.Attributes.Select(a => Value(scores?[a]?["summaryScore"]?["value"]))
                .Aggregate((double?)0, (largest, score) => largest is null || score is null ? null : Math.Max(largest.Value, score.Value));
        });

        static double? Value(JsonNode? value) =>
            double.TryParse(value?.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var score) && score is >= 0 and <= 1
                ? score
                : null;
    }
}
