using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Decides for every pool sample whether the iteration trains on it, and with which feedback.</summary>
public sealed class SelectionActivities(Ledger ledger, ArtifactStore artifacts)
{
    [Activity]
    public Task SelectAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Selection, "samples", async (_, token) =>
    {
        var inputs = await StageInputs.ReadAsync(ledger, iteration, token);
        if (inputs.State.Selection is null)
        {
            var selected = await new SelectionStage(artifacts).SelectAsync(inputs, token);
            await ledger.RecordAsync(iteration.Run, iteration.Number, s => s.Selection, selected, token);
            StageLog.Log.Selected(selected.Selected);
        }
    });
}
