using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>The reverse-engineered reward (arXiv 2402.03469), with embeddings from a service of the embeddings API.</summary>
/// <param name="classifier">Says of a query whether it is open (category 0) or closed; null takes those for closed that have a reference.</param>
internal sealed class R3Provider(FeedbackProvider.R3 config, RemoteJudge embeddings, IFeedbackProvider? classifier) : IFeedbackProvider
{
    public const string Service = "embeddings", Path = "/embeddings", ShippedQuestion = "closed";

    public static readonly IReadOnlyList<string> QueryTypes = ["open", "closed"];

    public string Name => "r3";

    public string Version { get; } = $"{config.Model}@{RunInputs.Hash(new { config.LengthIncentive, config.RepetitionPenalty, config.MaxSequenceLength, Classifier = classifier?.Version })[..12]}";

    public async Task<IReadOnlyList<Judgement>> JudgeAsync(IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token)
    {
        var types = await TypesAsync(samples, token);
        return await embeddings.JudgeEachAsync(samples, progress, sample => JudgeAsync(sample, types?[sample.Id.Prompt], token));
    }

    /// <summary>What the classifier says of each prompt, by its ordinal.</summary>
    private async Task<IReadOnlyDictionary<int, Judgement>?> TypesAsync(IReadOnlyList<FeedbackRequest> samples, CancellationToken token) => classifier is null
        ? null
        : (await classifier.JudgeAsync([.. samples.DistinctBy(s => s.Id.Prompt)], null, token)).ToDictionary(j => j.Id.Prompt);

    private async Task<Judgement> JudgeAsync(FeedbackRequest sample, Judgement? type, CancellationToken token)
    {
        // The classifier's call belongs to the sample that it was made for.
        var calls = type?.Id == sample.Id ? type.Calls.ToList() : [];
        if (type is { Outcome: not FeedbackOutcome.Labelled and var unknown })
        {
            return new Judgement(sample.Id, unknown) { Calls = calls };
        }

        var closed = type?.Outcome is FeedbackOutcome.Labelled label ? label.Category == 1 : sample.Reference is not null;
        if (closed && sample.Reference is null)
        {
            return new Judgement(sample.Id, new FeedbackOutcome.Abstained("the query is closed and has no reference")) { Calls = calls };
        }

        var response = R3.Cut(sample.Text);
        var question = JsonSerializer.SerializeToUtf8Bytes(new { config.Model, Input = new[] { closed ? sample.Reference : sample.Prompt, response } }, AltJson.Options);
        var answer = await embeddings.AskAsync(sample.Id, question, 0, token);
        calls.Add(answer.Call);
        var outcome = answer.Problem ?? (Relevance(answer.Body!) is { } relevance
            ? new FeedbackOutcome.Labelled(closed
                ? R3.Closed(response, relevance, config.MaxSequenceLength, config.RepetitionPenalty)
                : R3.Open(response, relevance, config.LengthIncentive, config.RepetitionPenalty))
            : new FeedbackOutcome.Unparsed(answer.Body!));
        return new Judgement(sample.Id, outcome) { Calls = calls };
    }

    /// <summary>The dot product of the two embeddings; no cosine.</summary>
    private static double? Relevance(string body)
    {
        try
        {
            return JsonSerializer.Deserialize<Reply>(body, JsonSerializerOptions.Web) is { Data: [{ Embedding: { } one }, { Embedding: { } other }] } && one.Length == other.Length
                ? one.Zip(other, (a, b) => a * b).Sum() is var product && double.IsFinite(product) ? product : null
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Reply(Item[]? Data);

    private sealed record Item(double[]? Embedding);
}
