using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Decides for every pool sample whether the iteration trains on it, and with which feedback.</summary>
public sealed class SelectionActivities(Ledger ledger, ArtifactStore artifacts)
{
    [Activity]
    public Task SelectAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Selection, "samples", (_, token) => ledger.OnceAsync(
        iteration, s => s.Selection, inputs => new SelectionStage(artifacts).SelectAsync(inputs, token),
        selected => StageLog.Log.Selected(selected.Selected), token));
}
