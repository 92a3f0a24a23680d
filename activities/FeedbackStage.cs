using System.Diagnostics;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Has an iteration's samples judged, one outcome for each, and sums the outcomes up.</summary>
public sealed class FeedbackStage(ArtifactStore artifacts, Classifiers classifiers)
{
    public async Task<IterationEvent.ChunkFinished> JudgeAsync(
        StageInputs inputs, int chunk, IProgress<(long Done, long Total)>? progress, CancellationToken token)
    {
        var provider = await ProviderAsync(inputs, token);
        var drawn = artifacts.ReadJsonLinesAsync<Prompt>(inputs.State.Prompts!.Prompts, token);
        var prompts = await new ChunkRef(inputs.Iteration, chunk).PartOf(drawn, inputs.Config.Sampling.ChunkPrompts)
            .ToDictionaryAsync(p => p.Ordinal, p => p.Text, cancellationToken: token);
        var samples = await artifacts.ReadJsonLinesAsync<Sample>(inputs.State.Chunk(Stage.Sampling, chunk)!.Result, token).ToArrayAsync(token);
        progress?.Report((0, samples.Length));

        var clock = Stopwatch.StartNew();
        var judged = await provider.JudgeAsync([.. samples.Select(s => new FeedbackRequest(s.Id, prompts[s.Id.Prompt], s.Text))], token);
        return new IterationEvent.ChunkFinished(
            Stage.Feedback, chunk, await artifacts.PutJsonLinesAsync(judged, token), judged.Count, 0, clock.Elapsed.TotalSeconds);
    }

    /// <exception cref="InvalidOperationException">A chunk is missing, or a sample has no outcome or two.</exception>
    public async Task<IterationEvent.FeedbackCollected> SumUpAsync(StageInputs inputs, CancellationToken token)
    {
        var chunks = inputs.State.Chunks(Stage.Feedback);
        StageSums.Require(Stage.Feedback, chunks, inputs.State.Prompts!.Chunks, inputs.State.Sampling!.Samples);
        var judged = new List<Judgement>();
        foreach (var chunk in chunks)
        {
            judged.AddRange(await artifacts.ReadJsonLinesAsync<Judgement>(chunk.Result, token).ToArrayAsync(token));
        }

        StageSums.Require(Stage.Feedback, await inputs.SampleIdsAsync(artifacts, token), judged.Select(j => j.Id));
        var outcomes = judged.Select(j => j.Outcome).ToArray();

        var provider = await ProviderAsync(inputs, token);
        var rewards = outcomes.OfType<FeedbackOutcome.Labelled>().Select(l => l.Reward).ToArray();
        return new IterationEvent.FeedbackCollected(
            provider.Name,
            provider.Version,
            rewards.Length,
            outcomes.Count(o => o is FeedbackOutcome.Abstained),
            outcomes.Count(o => o is FeedbackOutcome.Unparsed),
            outcomes.Count(o => o is FeedbackOutcome.Failed),
            rewards.DefaultIfEmpty().Average(),
            chunks.Sum(c => c.Seconds));
    }

    private async Task<TextClassifierProvider> ProviderAsync(StageInputs inputs, CancellationToken token) =>
        new(await classifiers.LoadAsync(inputs.Run.Reward!.Model, token));
}
