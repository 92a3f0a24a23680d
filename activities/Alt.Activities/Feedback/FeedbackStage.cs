using System.Diagnostics;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Has an iteration's samples judged, one outcome for each, and sums the outcomes up.</summary>
public sealed class FeedbackStage(ArtifactStore artifacts, Judges judges)
{
    /// <exception cref="HoldException">The work waits for a person.</exception>
    public Task<IterationEvent.ChunkFinished> JudgeAsync(
        StageInputs inputs, int chunk, IProgress<(long Done, long Total)>? progress, CancellationToken token) =>
        JudgeAsync(inputs, chunk, [], progress, token);

    /// <summary>Judges a judged chunk's samples in quarantine again, and takes over labels that people gave since.</summary>
    /// <exception cref="HoldException">The work waits for a person.</exception>
    public async Task<IterationEvent.ChunkFinished> DrainAsync(
        StageInputs inputs, IterationEvent.ChunkFinished judged, IProgress<(long Done, long Total)>? progress, CancellationToken token)
    {
        return await JudgeAsync(
            inputs, judged.Chunk,
            await artifacts.ReadJsonLinesAsync<Judgement>(judged.Result, token).ToDictionaryAsync(j => j.Id, cancellationToken: token),
            progress, token);
    }

    /// <summary>The chunks in which people have labelled a sample since it was judged.</summary>
    public async Task<IReadOnlyList<IterationEvent.ChunkFinished>> RelabelledAsync(StageInputs inputs, CancellationToken token)
    {
        var people = await HumanLabels.ReadAsync(inputs.Run, artifacts, token);
        var chunks = new List<IterationEvent.ChunkFinished>();
        foreach (var chunk in people.Count > 0 ? inputs.State.Chunks(Stage.Feedback) : [])
        {
            if (await artifacts.ReadJsonLinesAsync<Judgement>(chunk.Result, token)
                .AnyAsync(j => people.OutcomeOf(j.Id, inputs.Config) is { } said && said != j.Outcome, token))
            {
                chunks.Add(chunk);
            }
        }

        return chunks;
    }

    /// <returns>The sums, and the outcomes that they are of.</returns>
    /// <exception cref="InvalidOperationException">A chunk is missing, or a sample has no outcome or two.</exception>
    public async Task<(IterationEvent.FeedbackCollected Sums, IReadOnlyList<FeedbackOutcome> Outcomes)> SumUpAsync(
        StageInputs inputs, CancellationToken token)
    {
        var chunks = inputs.State.Chunks(Stage.Feedback);
        StageSums.Require(Stage.Feedback, chunks, inputs.State.Prompts!.Chunks, inputs.State.Sampling!.Samples);
        var judged = await artifacts.ReadJsonLinesAsync<Judgement>(chunks.Select(c => c.Result), token).ToArrayAsync(token);
        StageSums.Require(Stage.Feedback, await inputs.SampleIdsAsync(artifacts, token), judged.Select(j => j.Id));
        var outcomes = judged.Select(j => j.Outcome).ToArray();
        var judge = await judges.OpenAsync(inputs, token, toAsk: false);
        var rewards = outcomes.OfType<FeedbackOutcome.Labelled>().Select(l => l.Reward).ToArray();
        var sums = new IterationEvent.FeedbackCollected(
            judge.Name,
            judge.Version,
            rewards.Length,
            outcomes.Count(o => o is FeedbackOutcome.Abstained),
            outcomes.Count(o => o is FeedbackOutcome.Unparsed),
            outcomes.Count(o => o is FeedbackOutcome.Failed),
            rewards.DefaultIfEmpty().Average(),
            chunks.Sum(c => c.Seconds),
            outcomes.Count(o => o is FeedbackOutcome.Vetoed));
        return (sums, outcomes);
    }

    private async Task<IterationEvent.ChunkFinished> JudgeAsync(
        StageInputs inputs, int chunk, Dictionary<SampleId, Judgement> before, IProgress<(long Done, long Total)>? progress,
        CancellationToken token)
    {
        var judge = await judges.OpenAsync(inputs, token);
        var people = await HumanLabels.ReadAsync(inputs.Run, artifacts, token);
        var requests = await RequestsAsync(inputs, chunk, token);

        var clock = Stopwatch.StartNew();
        var erased = requests.Where(r => r.Erased).Select(r => new Judgement(r.Id, new FeedbackOutcome.Abstained("its prompt was erased")));
        var judged = erased.Concat(before.Values.Where(j => !j.Outcome.InQuarantine))
            .Concat(requests.Select(r => people.Of(r, inputs.Config)).OfType<Judgement>()
                .Select(j => j.After(before.GetValueOrDefault(j.Id)))).GroupBy(j => j.Id).ToDictionary(g => g.Key, g => g.Last());
        FeedbackRequest[] open = [.. requests.Where(r => !judged.ContainsKey(r.Id))];
        foreach (var judgement in await judge.JudgeAsync(open, new Counted(progress, requests.Count - open.Length, requests.Count), token))
        {
            judged[judgement.Id] = judgement.After(before.GetValueOrDefault(judgement.Id));
        }

        var result = await artifacts.PutJsonLinesAsync(requests.Select(r => judged[r.Id]), token);
        return new IterationEvent.ChunkFinished(Stage.Feedback, chunk, result, requests.Count, 0, clock.Elapsed.TotalSeconds);
    }

    private async Task<IReadOnlyList<FeedbackRequest>> RequestsAsync(StageInputs inputs, int chunk, CancellationToken token)
    {
        var drawn = artifacts.ReadJsonLinesAsync<Prompt>(inputs.State.Prompts!.Prompts, token);
        var prompts = await inputs.ChunkOfAsync(drawn, chunk).ToDictionaryAsync(p => p.Ordinal, cancellationToken: token);
        var samples = await artifacts.ReadJsonLinesAsync<Sample>(inputs.State.Chunk(Stage.Sampling, chunk)!.Result, token)
            .ToArrayAsync(token);
        return [.. samples.Select(s =>
            new FeedbackRequest(s.Id, prompts[s.Id.Prompt].Text, s.Text, prompts[s.Id.Prompt].Reference, s.ErasedContent is not null))];
    }

    private sealed class Counted(IProgress<(long Done, long Total)>? progress, long before, long total) : IProgress<int>
    {
        private long _done = before;

        public void Report(int more) => progress?.Report((Interlocked.Add(ref _done, more), total));
    }
}
