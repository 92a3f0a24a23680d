using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Puts an iteration's labelled samples into the pool and ranks the whole pool again.</summary>
public sealed class DataPoolActivities(Ledger ledger, ArtifactStore artifacts)
{
    [Activity]
    public Task UpdateAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.DataPool, "samples", (_, token) => ledger.OnceAsync(
        iteration, s => s.DataPool, inputs => new DataPoolStage(ledger, artifacts).PoolAsync(inputs, token),
        updated => StageLog.Log.Pooled(updated.Entries, updated.Added), token));
}
