using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Decides for every pool sample whether the iteration trains on it, and with which feedback.</summary>
public sealed class SelectionStage(ArtifactStore artifacts)
{
    /// <exception cref="InvalidOperationException">A pool entry has no decision or two.</exception>
    public async Task<IterationEvent.BatchSelected> SelectAsync(StageInputs inputs, CancellationToken token)
    {
        var pool = await artifacts.ReadJsonLinesAsync<PoolEntry>(inputs.State.DataPool!.Pool, token).ToArrayAsync(token);
        var decisions = Selection.Select(
            pool, inputs.Config.Selection, inputs.Config.Seed, inputs.Number, inputs.Run.ErasedIn(inputs.Number));
        StageSums.Require(Stage.Selection, [.. pool.Select(e => e.Sample.Id)], decisions.Select(d => d.Id));
        return new IterationEvent.BatchSelected(
            await artifacts.PutJsonLinesAsync(decisions, token),
            decisions.Count(d => d.Selected),
            Selection.LeftOut(decisions));
    }
}
