using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>Relevance by a service of the embeddings API.</summary>
internal sealed class ServedRelevance(string model, RemoteJudge embeddings) : IRelevance
{
    public const string Service = "embeddings", Path = "/embeddings";

    public string Version => embeddings.Version;

    public async Task<IReadOnlyList<RelevanceAnswer>> AskAsync(
        IReadOnlyList<RelevancePair> pairs, IProgress<int>? progress, CancellationToken token) =>
        await Task.WhenAll(pairs.Select(async pair =>
        {
            var question = JsonSerializer.SerializeToUtf8Bytes(
                new { Model = model, Input = new[] { pair.One, pair.Other } }, AltJson.Options);
            var answer = await embeddings.AskAsync(pair.Id, question, 0, token);
            var relevance = answer.Body is null ? null : Relevance(answer.Body);
            progress?.Report(1);
            return new RelevanceAnswer(
                relevance, answer.Problem ?? (relevance is null ? new FeedbackOutcome.Unparsed(answer.Body!) : null), answer.Call);
        }));

    private static double? Relevance(string body) => ReplyJson.Read<double?>(() =>
        JsonSerializer.Deserialize<Reply>(body, JsonSerializerOptions.Web) is { Data: [{ Embedding: { } one }, { Embedding: { } other }] }
            && one.Length == other.Length
            ? one.Zip(other, (a, b) => a * b).Sum() is var product && double.IsFinite(product) ? product : null
            : null);

    private sealed record Reply(Item[]? Data);

    private sealed record Item(double[]? Embedding);
}
