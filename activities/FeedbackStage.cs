using System.Diagnostics;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Has an iteration's samples judged, one outcome for each, and sums the outcomes up.</summary>
public sealed class FeedbackStage(ArtifactStore artifacts, Classifiers classifiers)
{
    public async Task<(IterationEvent.ChunkFinished Finished, IReadOnlyList<Judgement> Judged)> JudgeAsync(
        StageInputs inputs, int chunk, IProgress<(long Done, long Total)>? progress, CancellationToken token)
    {
        var provider = await ProviderAsync(inputs, token);
        var drawn = artifacts.ReadJsonLinesAsync<Prompt>(inputs.State.Prompts!.Prompts, token);
        var prompts = await new ChunkRef(inputs.Iteration, chunk).PartOf(drawn, inputs.Config.Sampling.ChunkPrompts)
            .ToDictionaryAsync(p => p.Ordinal, p => p.Text, cancellationToken: token);
        var samples = await artifacts.ReadJsonLinesAsync<Sample>(inputs.State.Chunk(Stage.Sampling, chunk)!.Result, token).ToArrayAsync(token);
        progress?.Report((0, samples.Length));

        var clock = Stopwatch.StartNew();
        var outcomes = await provider.JudgeAsync([.. samples.Select(s => new FeedbackRequest(s.Id, prompts[s.Id.Prompt], s.Text))], token);
        Judgement[] judged = [.. samples.Zip(outcomes, (s, outcome) => new Judgement(s.Id, outcome))];
        var finished = new IterationEvent.ChunkFinished(
            Stage.Feedback, chunk, await artifacts.PutJsonLinesAsync(judged, token), judged.Length, 0, clock.Elapsed.TotalSeconds);
        return (finished, judged);
    }

    /// <exception cref="InvalidOperationException">A chunk is missing, or the outcomes are not as many as the samples.</exception>
    public async Task<IterationEvent.FeedbackCollected> SumUpAsync(StageInputs inputs, CancellationToken token)
    {
        var chunks = inputs.State.Chunks(Stage.Feedback);
        StageSums.Require(Stage.Feedback, chunks, inputs.State.Prompts!.Chunks, inputs.State.Sampling!.Samples);
        var outcomes = new List<FeedbackOutcome>();
        foreach (var chunk in chunks)
        {
            outcomes.AddRange(await artifacts.ReadJsonLinesAsync<Judgement>(chunk.Result, token).Select(j => j.Outcome).ToArrayAsync(token));
        }

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
