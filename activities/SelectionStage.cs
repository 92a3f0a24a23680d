using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Decides for every pool sample whether the iteration trains on it, and with which feedback.</summary>
public sealed class SelectionStage(ArtifactStore artifacts)
{
    public async Task<(IterationEvent.BatchSelected Selected, IReadOnlyList<SelectedSample> Decisions)> SelectAsync(StageInputs inputs, CancellationToken token)
    {
        var pool = await artifacts.ReadJsonLinesAsync<PoolEntry>(inputs.State.DataPool!.Pool, token).ToArrayAsync(token);
        var decisions = Selection.Select(pool, inputs.Config.Selection, inputs.Config.Seed, inputs.Number);
        var selected = new IterationEvent.BatchSelected(
            await artifacts.PutJsonLinesAsync(decisions, token),
            decisions.Count(d => d.Selected),
            Selection.LeftOut(decisions));
        return (selected, decisions);
    }
}
