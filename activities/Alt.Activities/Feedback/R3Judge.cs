using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>The reverse-engineered reward (arXiv 2402.03469).</summary>
/// <param name="classifier">
/// Says of a query whether it is open (category 0) or closed; null treats queries that have a reference as closed.
/// </param>
internal sealed class R3Judge(JudgeConfig.R3 config, IRelevance relevance, IJudge? classifier) : IJudge
{
    public const string ShippedQuestion = "closed";

    private static readonly IReadOnlyList<string> QueryTypes = ["open", "closed"];

    public string Name => "r3";

    /// <summary>A classifier as it is asked here.</summary>
    public static JudgeConfig.LanguageModel Asked(JudgeConfig.LanguageModel classifier) => classifier with { Categories = QueryTypes };

    public string Version { get; } = $"{relevance.Version}@"
        + $"{AltJson.Hash(new { config.LengthIncentive, config.RepetitionPenalty, config.MaxSequenceLength, Classifier = classifier?.Version })[..12]}";

    public async Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token)
    {
        var types = await TypesAsync(samples, token);
        var queries = samples.Select(sample => QueryOf(sample, types?[sample.Id.Prompt])).ToArray();
        Query[] open = [.. queries.Where(query => query.Unasked is null)];
        progress?.Report(queries.Length - open.Length);
        var answers = await relevance.AskAsync(
            [.. open.Select(query => new RelevancePair(query.Id, query.About, query.Response))], progress, token);
        var judged = open.Zip(answers, Judge).ToDictionary(judgement => judgement.Id);
        return [.. queries.Select(query =>
            query.Unasked is { } outcome ? new Judgement(query.Id, outcome) { Calls = query.Calls } : judged[query.Id])];
    }

    /// <summary>What the classifier says of each prompt, by its ordinal.</summary>
    private async Task<IReadOnlyDictionary<int, Judgement>?> TypesAsync(IReadOnlyList<FeedbackRequest> samples, CancellationToken token) =>
        classifier is null
            ? null
            : (await classifier.JudgeAsync([.. samples.DistinctBy(s => s.Id.Prompt).Select(s => s with { Text = s.Prompt })], null, token))
                .ToDictionary(j => j.Id.Prompt);

    private static Query QueryOf(FeedbackRequest sample, Judgement? type)
    {
        var closed = type?.Outcome is FeedbackOutcome.Labelled label ? label.Category == 1 : type is null && sample.Reference is not null;
        return new Query(sample.Id, closed, (closed ? sample.Reference : sample.Prompt) ?? "", R3.Cut(sample.Text))
        {
            Unasked = string.IsNullOrWhiteSpace(sample.Text) ? new FeedbackOutcome.Abstained("the text is empty")
                : type is { Outcome: not FeedbackOutcome.Labelled and var unknown } ? unknown
                : closed && sample.Reference is null ? new FeedbackOutcome.Abstained("the query is closed and has no reference")
                : null,
            // The classifier's call belongs to the sample that it was made for.
            Calls = type?.Id == sample.Id ? type.Calls : [],
        };
    }

    private Judgement Judge(Query query, RelevanceAnswer answer) =>
        new(query.Id, answer.Problem ?? new FeedbackOutcome.Labelled(query.Closed
            ? R3.Closed(query.Response, answer.Relevance!.Value, config.MaxSequenceLength, config.RepetitionPenalty)
            : R3.Open(query.Response, answer.Relevance!.Value, config.LengthIncentive, config.RepetitionPenalty)))
        {
            Calls = [.. query.Calls, answer.Call],
        };

    /// <param name="About">What the response should be about: the prompt, or for a closed query the reference.</param>
    private sealed record Query(SampleId Id, bool Closed, string About, string Response)
    {
        /// <summary>The outcome where there is nothing to ask.</summary>
        public FeedbackOutcome? Unasked { get; init; }

        public IReadOnlyList<JudgeCall> Calls { get; init; } = [];
    }
}
