using Alt.Domain;
using Alt.Infra;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Training;

namespace Alt.Activities;

/// <summary>The base model p0 of a run: the given checkpoint, the one that an earlier run made of the same inputs, or a new one.</summary>
public sealed class PretrainingStage(Ledger ledger, ArtifactStore artifacts, Policies policies)
{
    /// <summary>Prepares the base model, from the run's last checkpoint of its pretraining where there is one.</summary>
    /// <param name="record">Gets every new checkpoint.</param>
    /// <exception cref="InputException">The given checkpoint cannot be used.</exception>
    public async Task<RunEvent.BaseModelPrepared> PrepareAsync(
        string run, RunState state, Func<RunEvent.PretrainingCheckpointed, Task> record, IProgress<(long Done, long Total)>? progress,
        CancellationToken token)
    {
        if (state.Config.Model.Checkpoint is { } folder)
        {
            return await GivenAsync(folder, state.Config, token);
        }

        var inputs = AltJson.Hash(new
        {
            Text = state.Data!.Text!.Hash,
            state.Config.Model,
            state.Config.Data.LabelledShare,
            state.Config.Feedback.Tags,
            state.Config.Seed,
            state.Device
        });
        return await ledger.PreparedAsync(inputs, token) is { } known && artifacts.Exists(known.Artifact)
            ? new RunEvent.BaseModelPrepared(known.Artifact, known.Hash, inputs, true, known.Tokens, known.Loss, 0)
            : await PretrainAsync(run, state, inputs, record, progress, token);
    }

    private async Task<RunEvent.BaseModelPrepared> GivenAsync(string folder, RunConfig config, CancellationToken token)
    {
        using var given = Policy.Load(folder);
        // A checkpoint that cannot wrap the prompts is refused before anything is done with it.
        PromptEncoder.For(given.Tokenizer, config.Prompts);
        var artifact = await artifacts.PutFolderAsync(folder, token);
        return new RunEvent.BaseModelPrepared(artifact, given.Model.WeightsHash(), artifact.Hash, true, 0, 0, 0);
    }

    private async Task<RunEvent.BaseModelPrepared> PretrainAsync(
        string run, RunState state, string inputs, Func<RunEvent.PretrainingCheckpointed, Task> record,
        IProgress<(long Done, long Total)>? progress, CancellationToken token)
    {
        var config = state.Config;
        var texts = await artifacts.ReadJsonLinesAsync<PretrainingText>(state.Data!.Text!, token).ToArrayAsync(token);
        var resumed = state.PretrainingCheckpoint is { } checkpoint ? await policies.FolderAsync(checkpoint.Checkpoint, token) : null;
        var device = ModelDevice.Of(state.Device);
        using var policy = resumed is not null ? Policy.Load(resumed, device) : Pretraining.New(config, texts, device);

        var examples = Pretraining.Examples(texts, policy.Tokenizer, config);
        var settings = config.Model.Pretraining;
        var options = new TrainerOptions
        {
            Seed = config.Seed,
            Steps = settings.Steps,
            BatchSize = settings.BatchSize,
            LearningRate = settings.LearningRate,
            WarmupShare = settings.WarmupShare,
            Beta2 = settings.Beta2,
            WeightDecay = settings.WeightDecay,
            ClipNorm = settings.ClipNorm,
        };
        using var trainer = resumed is not null
            ? Trainer.Resume(resumed, policy.Model, null, examples, options)
            : new Trainer(policy.Model, null, examples, options);

        var loop = new TrainingLoop(artifacts, policies, config.Training.LargestFile);
        var (trained, curve) = await loop.RunAsync(
            run, trainer, policy, options.Steps, settings.CheckpointEvery, await loop.CurveAsync(state.PretrainingCheckpoint?.Steps, token),
            (reached, steps) => record(new RunEvent.PretrainingCheckpointed(reached, steps, trainer.Step)), progress, token);
        return new RunEvent.BaseModelPrepared(
            trained, policy.Model.WeightsHash(), inputs, false,
            curve.Sum(s => (long)s.Tokens), curve.TakeLast(20).Average(s => s.Loss), curve.Sum(s => s.Elapsed.TotalSeconds));
    }
}
