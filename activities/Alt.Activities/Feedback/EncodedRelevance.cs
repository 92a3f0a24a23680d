using System.Globalization;
using Alt.Domain;
using Alt.Infra;
using Alt.Model.Encoders;

namespace Alt.Activities.Feedback;

/// <summary>Relevance by an encoder on this machine, such as facebook/contriever.</summary>
internal sealed class EncodedRelevance(TextEmbedder encoder) : IRelevance
{
    private const int BatchSize = 32;

    public string Version { get; } = $"{encoder.Hash}@{encoder.SettingsHash[..12]}";

    public Task<IReadOnlyList<RelevanceAnswer>> AskAsync(
        IReadOnlyList<RelevancePair> pairs, IProgress<int>? progress, CancellationToken token)
    {
        var embeddings = encoder.Read(
            [.. pairs.SelectMany(p => new[] { p.One, p.Other }).Select(text => encoder.Tokens(text, encoder.Positions))], BatchSize, null,
            token);
        progress?.Report(pairs.Count);
        return Task.FromResult<IReadOnlyList<RelevanceAnswer>>([.. pairs.Zip(embeddings.Chunk(2), (pair, both) =>
        {
            var product = both[0].Zip(both[1], (a, b) => (double)a * b).Sum();
            var reply = product.ToString("R", CultureInfo.InvariantCulture);
            var call = new JudgeCall("encoder", Version, AltJson.Hash(new[] { pair.One, pair.Other }), reply);
            return double.IsFinite(product)
                ? new RelevanceAnswer(product, null, call)
                : new RelevanceAnswer(null, new FeedbackOutcome.Unparsed(reply), call);
        })]);
    }
}
