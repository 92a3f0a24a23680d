using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Starts a run, imports its data once, and draws each iteration's prompts.</summary>
public sealed class PromptsActivities(Ledger ledger, ArtifactStore artifacts)
{
    /// <returns>The first iteration that has not ended yet.</returns>
    /// <exception cref="InputException">The run exists with another config, or a file of the config is missing.</exception>
    [Activity]
    public Task<int> StartRunAsync(string run, RunConfig config) => Heartbeats.DuringAsync("Prompts", "files", async (_, token) =>
    {
        var first = new RunEvent.RunStarted(run, config, RunInputs.ConfigHash(config), await RunInputs.HashFilesAsync(config, token), DateTimeOffset.UtcNow);
        var started = await ledger.RecordAsync(run, s => s.Started, first, Projections.AddRun(run, first.At), token: token);
        if (started.ConfigHash != RunInputs.ConfigHash(config))
        {
            throw new InputException($"run '{run}' exists with another config; give another --run-id, or the config that it began with");
        }

        var state = await ledger.RunAsync(run, token);
        if (state.Status is RunStatus.Failed or RunStatus.Stopped or RunStatus.Paused)
        {
            var resumed = new RunEvent.RunResumed(DateTimeOffset.UtcNow);
            await ledger.RecordAsync(run, s => s.Status == RunStatus.Running ? resumed : null, resumed, token: token);
        }

        return state.IterationsFinished;
    });

    /// <summary>Brings prompts, labelled texts and pretraining text into the artifact store, so that a run no longer depends on its files.</summary>
    [Activity]
    public Task ImportAsync(string run) => Heartbeats.DuringAsync("Prompts", "files", async (_, token) =>
    {
        var state = await ledger.RunAsync(run, token);
        if (state.Data is not null)
        {
            return;
        }

        var sources = DataSource.Open(state.Config);
        var labelled = sources.Labelled();
        var prompts = sources.Prompts();
        var evaluation = sources.Evaluation();
        await ledger.RecordAsync(run, s => s.Data, new RunEvent.DataImported(
            await artifacts.PutJsonLinesAsync(prompts, token), prompts.Count,
            await artifacts.PutJsonLinesAsync(evaluation, token), evaluation.Count,
            await artifacts.PutJsonLinesAsync(labelled.Texts, token), labelled.Texts.Count, labelled.Skipped,
            state.Config.Model.Checkpoint is null ? await artifacts.PutJsonLinesAsync(sources.Pretraining(), token) : null), token: token);
    });

    /// <returns>How many chunks the iteration's prompts make.</returns>
    [Activity]
    public Task<int> DrawAsync(IterationRef iteration) => Heartbeats.DuringAsync("Prompts", "prompts", async (_, token) =>
    {
        var inputs = await StageInputs.ReadAsync(ledger, iteration, token);
        var drawn = inputs.State.Prompts
            ?? await ledger.RecordAsync(iteration.Run, iteration.Number, s => s.Prompts, await new PromptsStage(artifacts).DrawAsync(inputs, token), token: token);
        return drawn.Chunks;
    });
}
