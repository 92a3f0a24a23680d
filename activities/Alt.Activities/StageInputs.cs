using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>
/// What a stage works from: the run and the iteration as the record has them. The <c>…Stage</c> classes compute a stage's event from it and
/// record nothing, so that an activity and a replay compute the same.
/// </summary>
public sealed record StageInputs(IterationRef Iteration, RunState Run, IterationState State)
{
    public RunConfig Config => Run.Config;

    public int Number => Iteration.Number;

    /// <summary>Every sample that the iteration is to have: k from 0 for each of its prompts.</summary>
    public async Task<IReadOnlyList<SampleId>> SampleIdsAsync(ArtifactStore artifacts, CancellationToken token)
    {
        var prompts = await artifacts.ReadJsonLinesAsync<Prompt>(State.Prompts!.Prompts, token).ToArrayAsync(token);
        return [.. prompts.SelectMany(p =>
            Enumerable.Range(0, Config.Sampling.Generations).Select(k => new SampleId(Number, p.Ordinal, k)))];
    }

    /// <summary>A chunk's prompts out of all that a stage has.</summary>
    public IAsyncEnumerable<Prompt> ChunkOfAsync(IAsyncEnumerable<Prompt> prompts, int chunk) =>
        prompts.Skip(chunk * Config.Sampling.ChunkPrompts).Take(Config.Sampling.ChunkPrompts);

    public static async Task<StageInputs> ReadAsync(Ledger ledger, IterationRef iteration, CancellationToken token) =>
        new(iteration, await ledger.RunAsync(iteration.Run, token), await ledger.IterationAsync(iteration, token));

    /// <summary>The same for the run that made the iteration: a fork shares iterations that its parent's settings decided.</summary>
    public static async Task<StageInputs> OfMakerAsync(Ledger ledger, IterationRef iteration, CancellationToken token)
    {
        var inputs = await ReadAsync(ledger, iteration, token);
        return inputs.Run.Started?.Origin is { } origin && iteration.Number < origin.Iteration
            ? await OfMakerAsync(ledger, iteration with { Run = origin.Run }, token)
            : inputs;
    }
}
