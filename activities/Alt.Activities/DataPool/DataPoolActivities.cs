using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Puts an iteration's labelled samples into the pool and ranks the whole pool again.</summary>
public sealed class DataPoolActivities(Ledger ledger, ArtifactStore artifacts)
{
    [Activity]
    public Task UpdateAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.DataPool, "samples", async (_, token) =>
    {
        var inputs = await StageInputs.ReadAsync(ledger, iteration, token);
        if (inputs.State.DataPool is null)
        {
            var updated = await new DataPoolStage(ledger, artifacts).PoolAsync(inputs, token);
            await ledger.RecordAsync(iteration.Run, iteration.Number, s => s.DataPool, updated, token);
            StageLog.Log.Pooled(updated.Entries, updated.Added);
        }
    });
}
