using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>
/// A reward model behind HTTP, asked in batches: <c>{"model","samples":[{"prompt","text"}]}</c> is posted to <c>/score</c>, and
/// <c>{"scores":[…]}</c> comes back, one for each sample, higher is better, null for no opinion.
/// </summary>
internal sealed class ScorerJudge(JudgeConfig.Scorer config, RemoteJudge judge) : IJudge
{
    public const string Service = "scorer", Path = "/score";

    public string Name => Service;

    public string Version => judge.Version;

    public async Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token) =>
        [.. (await Task.WhenAll(samples.Chunk(config.Batch).Select(batch => JudgeAsync(batch, progress, token)))).SelectMany(j => j)];

    private async Task<IEnumerable<Judgement>> JudgeAsync(FeedbackRequest[] batch, IProgress<int>? progress, CancellationToken token)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new { config.Model, Samples = batch.Select(s => new { s.Prompt, s.Text }) }, AltJson.Options);
        var answer = await judge.AskAsync(batch[0].Id, body, 0, token);
        var scores = answer.Body is null ? null : Scores(answer.Body, batch.Length);
        progress?.Report(batch.Length);
        return batch.Select((sample, i) => new Judgement(sample.Id, answer.Problem ?? Outcome(answer.Body!, scores, i))
        {
            // One call for all: the first sample carries its costs, so that they are counted once.
            Calls = [i == 0 ? answer.Call : answer.Call with { InputTokens = 0, OutputTokens = 0, Cost = 0, Attempts = 0 }],
        });
    }

    private static FeedbackOutcome Outcome(string body, double?[]? scores, int i) =>
        scores is null ? new FeedbackOutcome.Unparsed(body)
        : scores[i] is not { } score ? new FeedbackOutcome.Abstained("the scorer has no opinion")
        : double.IsFinite(score) ? new FeedbackOutcome.Labelled(score)
        : new FeedbackOutcome.Unparsed(body);

    private static double?[]? Scores(string body, int count) => ReplyJson.Read(() =>
        JsonSerializer.Deserialize<Reply>(body, JsonSerializerOptions.Web)?.Scores is { } scores && scores.Length == count ? scores : null);

    private sealed record Reply(double?[]? Scores);
}
