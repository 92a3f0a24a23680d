using Alt.Domain;
using Npgsql;

namespace Alt.Infra.Audits;

public sealed partial class Audit
{
    /// <exception cref="InputException">The sample does not exist.</exception>
    /// <exception cref="ArtifactException">Its text is missing or corrupt.</exception>
    public async Task<SampleLife> SampleAsync(SampleRef id, CancellationToken token = default)
    {
        var configs = await ledger.ConfigsAsync(await ledger.ExistingRunAsync(id.Run, token), token);
        var row = await RowAsync(id, token);
        var sample = await InChunkAsync<Sample>(id, Stage.Sampling, row.Chunk, s => s.Id, token)
            ?? throw new LedgerException(
                $"the sample {id} is in the projections and not in its artifact; `./alt audit rebuild` rebuilds the projections");
        var judgement = await InChunkAsync<Judgement>(id, Stage.Feedback, row.Chunk, j => j.Id, token);
        var drawn = await AskAsync(
            AuditSql.Summaries, r =>
                (Type: r.GetString(1), Row: r.GetString(1) == "prompts_drawn" ? Data<IterationEvent.PromptsDrawn>(r, 2) : null),
            token, (object)new[] { Ledger.IterationStream(new(id.Run, id.Id.Iteration)) });
        var prompt = await artifacts.ReadJsonLinesAsync<Prompt>(
            drawn.First(e => e.Row is not null).Row!.Prompts, row.Chunk * configs[id.Id.Iteration].Sampling.ChunkPrompts, token)
            .FirstAsync(p => p.Ordinal == id.Id.Prompt, token);
        var pools = await PoolsAsync(id, row, configs, token);
        return new SampleLife(
            id.ToString(), row.Chunk, row.Policy, row.Conditioning, row.Seed, sample.FinishReason, sample.Tokens, prompt.Text, sample.Text,
            row.Outcome, row.Reward, WhyUnrewarded(judgement?.Outcome), judgement?.Calls ?? [], pools,
            FateOf(row, judgement?.Outcome, pools, configs), sample.ErasedContent is not null);
    }

    /// <exception cref="InputException">The sample does not exist.</exception>
    public async Task<WhyNot> WhyNotAsync(SampleRef id, CancellationToken token = default)
    {
        var configs = await ledger.ConfigsAsync(await ledger.ExistingRunAsync(id.Run, token), token);
        var row = await RowAsync(id, token);
        var pools = await PoolsAsync(id, row, configs, token);
        var outcome = row.Outcome is null or nameof(FeedbackOutcome.Labelled)
            ? null
            : (await InChunkAsync<Judgement>(id, Stage.Feedback, row.Chunk, j => j.Id, token))?.Outcome;
        return new WhyNot(id.ToString(), pools.Any(p => p.Steps.Count > 0), FateOf(row, outcome, pools, configs), pools);
    }

    private static string FateOf(
        SampleRow row, FeedbackOutcome? outcome, IReadOnlyList<PoolMembership> pools, IReadOnlyList<RunConfig> configs)
    {
        if (row.Outcome is null)
        {
            return "not judged yet";
        }

        if (row.Outcome != nameof(FeedbackOutcome.Labelled))
        {
            return $"never in the pool: {WhyUnrewarded(outcome)}";
        }

        return pools.Count == 0
            ? "judged, and not in a pool yet"
            : string.Join("; ", pools.Select(p => $"iteration {p.Iteration}: {FateIn(p, configs[p.Iteration])}"));
    }

    private static string FateIn(PoolMembership pool, RunConfig config) => pool switch
    {
        { Decision: null } => "in the pool, not yet selected from",
        { Steps.Count: > 0 } => $"trained on as '{pool.Feedback}' in {pool.Steps.Count} of {config.Training.Steps} steps",
        { Decision: nameof(SelectedSample.Selected) } => $"selected as '{pool.Feedback}', and not drawn by any training step yet",
        { Decision: nameof(LeftOut.Truncated) } => "left out: it ended at the token limit, and selection.truncated is reject",
        { Decision: nameof(LeftOut.Duplicate) } =>
            "left out: an earlier sample of the prompt has the same text and tokens, and selection.duplicates is reject",
        { Decision: nameof(LeftOut.OverQuota) } =>
            $"left out: quantile {pool.Quantile} had more samples than selection.perQuantile = {config.Selection.PerQuantile}",
        { Decision: nameof(LeftOut.Erased) } => "left out: its prompt was erased",
        _ => $"left out: {pool.Decision}",
    };

    private static string? WhyUnrewarded(FeedbackOutcome? outcome) => outcome switch
    {
        FeedbackOutcome.Abstained(var reason) => $"the judge abstained: {reason}",
        FeedbackOutcome.Unparsed => "the judge's reply could not be understood",
        FeedbackOutcome.Failed(var reason) => $"the judge failed: {reason}",
        FeedbackOutcome.Vetoed(var reason) => $"vetoed: {reason}",
        _ => null,
    };

    private async Task<SampleRow> RowAsync(SampleRef id, CancellationToken token) =>
        (await AskAsync(AuditSql.Sample, SampleRow.Read, token, id.Run, id.Id.Iteration, id.Id.Prompt, id.Id.K)).FirstOrDefault()
        ?? throw new InputException($"no sample '{id}'; `./alt audit pool {id.Run}` lists samples, and names are RUN/ITERATION/PROMPT/K");

    private async Task<IReadOnlyList<PoolMembership>> PoolsAsync(
        SampleRef id, SampleRow row, IReadOnlyList<RunConfig> configs, CancellationToken token)
    {
        var steps = (await AskAsync(
            AuditSql.SampleSteps, r => (Training: r.GetInt32(0), Step: r.GetInt32(1)), token, id.Run, id.Id.Iteration, id.Id.Prompt,
            id.Id.K))
            .ToLookup(s => s.Training, s => s.Step);
        return
        [
            .. row.Quantiles.Select((quantile, i) => new PoolMembership(
                id.Id.Iteration + i, quantile, configs[id.Id.Iteration + i].QuantileFeedback().Tags[quantile],
                row.Decisions.ElementAtOrDefault(i), [.. steps[id.Id.Iteration + i]])),
        ];
    }

    /// <summary>A sample's line in the artifact of its chunk; null where the chunk is not finished.</summary>
    private async Task<T?> InChunkAsync<T>(SampleRef id, Stage stage, int chunk, Func<T, SampleId> idOf, CancellationToken token)
        where T : class
    {
        var finished = (await AskAsync(
            AuditSql.Chunk, r => Data<IterationEvent.ChunkFinished>(r, 0), token, Ledger.IterationStream(new(id.Run, id.Id.Iteration)),
            stage.ToString(), chunk)).FirstOrDefault();
        return finished is null
            ? null
            : await artifacts.ReadJsonLinesAsync<T>(finished.Result, token).FirstOrDefaultAsync(line => idOf(line) == id.Id, token);
    }

    private sealed record SampleRow(
        int Chunk, string Policy, string? Conditioning, long Seed, string? Outcome, double? Reward, int[] Quantiles, string[] Decisions)
    {
        public static SampleRow Read(NpgsqlDataReader r) => new(
            r.GetInt32(0), r.GetString(1), Nullable<string>(r, 2), r.GetInt64(3), Nullable<string>(r, 5),
            r.IsDBNull(6) ? null : r.GetDouble(6), r.GetFieldValue<int[]>(7), r.GetFieldValue<string[]>(8));
    }
}
