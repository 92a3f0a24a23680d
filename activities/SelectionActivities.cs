using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Decides for every pool sample whether the iteration trains on it, and with which feedback.</summary>
public sealed class SelectionActivities(Ledger ledger, ArtifactStore artifacts)
{
    [Activity]
    public Task SelectAsync(IterationRef iteration) => Heartbeats.DuringAsync("Selection", "samples", async (_, token) =>
    {
        var config = (await ledger.RunAsync(iteration.Run, token)).Config;
        var state = await ledger.IterationAsync(iteration.Run, iteration.Number, token);
        if (state.Selection is not null)
        {
            return;
        }

        var pool = await artifacts.ReadJsonLinesAsync<PoolEntry>(state.DataPool!.Pool, token).ToArrayAsync(token);
        var decisions = Selection.Select(pool, config.Selection, config.Seed, iteration.Number);
        var selected = new IterationEvent.BatchSelected(
            await artifacts.PutJsonLinesAsync(decisions, token),
            decisions.Count(d => d.Selected),
            decisions.Where(d => !d.Selected).GroupBy(d => d.LeftOut!.Value).ToDictionary(g => g.Key.ToString(), g => g.Count()));
        await ledger.RecordAsync(iteration.Run, iteration.Number, s => s.Selection, selected, Projections.SetSelection(iteration.Run, iteration.Number, decisions), token);
    });
}
