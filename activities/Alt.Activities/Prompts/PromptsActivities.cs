using Alt.Domain;
using Alt.Infra;
using Alt.Model.Network;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Starts a run, imports its data once, and draws each iteration's prompts.</summary>
public sealed class PromptsActivities(Ledger ledger, ArtifactStore artifacts)
{
    /// <summary>
    /// Records that a run starts, or that a failed or stopped run continues. A pause stays until a user ends it.
    /// </summary>
    /// <exception cref="InputException">
    /// The run exists with another config, a file that it still needs is missing or has changed, or its device is not available.
    /// </exception>
    [Activity]
    public Task<RunPlan> StartRunAsync(string run, RunConfig config) => Heartbeats.DuringAsync(Stage.Prompts, "files", async (_, token) =>
    {
        var hash = AltJson.Hash(config);
        var started = (await ledger.RunAsync(run, token)).Started;
        if (started is null)
        {
            var first = new RunEvent.RunStarted(
                run, config, hash, await RunInputs.HashFilesAsync(config, token), DateTimeOffset.UtcNow,
                Device: ModelDevice.Choose(config.Device));
            started = await ledger.RecordAsync(run, s => s.Started, first, token: token);
        }

        // By the recorded config as it is read now: it may have been written before a setting was added.
        if (AltJson.Hash(started.Config) != hash)
        {
            throw new InputException($"run '{run}' exists with another config; give another --run-id, or the config that it began with");
        }

        var state = await ledger.RunAsync(run, token);
        RunEvent? continued = state.Status switch
        {
            RunStatus.Failed => new RunEvent.RunRetried(DateTimeOffset.UtcNow),
            RunStatus.Stopped => new RunEvent.RunResumed(DateTimeOffset.UtcNow),
            _ => null,
        };
        if (continued is not null)
        {
            await ledger.RecordAsync(run, s => s.Status == RunStatus.Running ? continued : null, continued, token: token);
        }

        // After the run is recorded as continuing: a failure here is then a new failure with its own reason.
        ModelDevice.Of(state.Device);
        await RunInputs.RequireUnchangedAsync(state, token);
        StageLog.Log.RunStarts(state.Status, state.IterationsFinished);
        return new RunPlan(state.IterationsFinished, state.Status == RunStatus.Paused);
    });

    /// <summary>
    /// Brings prompts, labelled texts and pretraining text into the artifact store, so that a run no longer depends on its files.
    /// </summary>
    [Activity]
    public Task ImportAsync(string run) => Heartbeats.DuringAsync(Stage.Prompts, "files", async (_, token) =>
    {
        var state = await ledger.RunAsync(run, token);
        if (state.Data is not null)
        {
            StageLog.Log.RecordedAlready("The run's data");
            return;
        }

        var sources = DataSource.Open(state.Config);
        var labelled = sources.Labelled();
        var prompts = sources.Prompts();
        var evaluation = sources.Evaluation();
        var imported = await ledger.RecordAsync(run, s => s.Data, new RunEvent.DataImported(
            await artifacts.PutJsonLinesAsync(prompts, token), prompts.Count,
            await artifacts.PutJsonLinesAsync(evaluation, token), evaluation.Count,
            await artifacts.PutJsonLinesAsync(labelled.Texts, token), labelled.Texts.Count, labelled.Skipped,
            state.Config.Model.Checkpoint is null ? await artifacts.PutJsonLinesAsync(sources.Pretraining(), token) : null,
            state.Config.Data.Grammar is { } grammar
                ? await artifacts.PutAsync(await File.ReadAllBytesAsync(grammar, token), ArtifactStore.Bytes, token)
                : null), token: token);
        StageLog.Log.Imported(imported.PromptCount, imported.EvaluationCount, imported.LabelledCount, imported.SkippedRows);
    });

    /// <returns>How many chunks the iteration's prompts make.</returns>
    [Activity]
    public Task<int> DrawAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Prompts, "prompts", async (_, token) =>
        (await ledger.OnceAsync(
            iteration, s => s.Prompts, inputs => new PromptsStage(artifacts).DrawAsync(inputs, token),
            drawn => StageLog.Log.Drew(drawn.Count, drawn.Chunks), token)).Chunks);
}
