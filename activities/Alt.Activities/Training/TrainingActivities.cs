using System.Diagnostics;
using Alt.Domain;
using Alt.Infra;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Training;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Trains the base model once and the policy in every iteration; both continue from their last recorded checkpoint.</summary>
public sealed class TrainingActivities(Ledger ledger, ArtifactStore artifacts, Policies policies)
{
    /// <summary>The base model p0: the given checkpoint, the one that an earlier run made of the same inputs, or a new one.</summary>
    [Activity]
    public Task PretrainAsync(string run) => Heartbeats.DuringAsync(Stage.Training, "steps", async (progress, token) =>
    {
        var state = await ledger.RunAsync(run, token);
        if (state.Base is not null)
        {
            StageLog.Log.RecordedAlready("The base model");
            return;
        }

        if (state.Config.Model.Checkpoint is { } folder)
        {
            using var given = Policy.Load(folder);
            // A checkpoint that cannot wrap the prompts is refused before anything is done with it.
            PromptEncoder.For(given.Tokenizer, state.Config.Prompts);
            var artifact = await artifacts.PutFolderAsync(folder, token);
            var prepared = new RunEvent.BaseModelPrepared(artifact, given.Model.WeightsHash(), artifact.Hash, true, 0, 0, 0);
            await ledger.RecordAsync(run, s => s.Base, prepared, token: token);
            StageLog.Log.BaseModelGiven(artifact.ShortHash);
            return;
        }

        var inputs = AltJson.Hash(new
        {
            Text = state.Data!.Text!.Hash,
            state.Config.Model,
            state.Config.Data.LabelledShare,
            state.Config.Feedback.Tags,
            state.Config.Seed,
            Device = OtherThanProcessor(state.Device)
        });
        if (await ledger.PreparedAsync(inputs, token) is { } known && artifacts.Exists(known.Artifact))
        {
            await ledger.RecordAsync(
                run, s => s.Base, new RunEvent.BaseModelPrepared(known.Artifact, known.Hash, inputs, true, known.Tokens, known.Loss, 0),
                token: token);
            StageLog.Log.BaseModelGiven(known.Artifact.ShortHash);
            return;
        }

        var made = await PretrainAsync(run, state, inputs, progress, token);
        var model = new PreparedModel(inputs, made.Checkpoint, made.WeightsHash, 0, made.Tokens, made.Loss);
        await ledger.RecordAsync(run, s => s.Base, made, prepared: model, token: token);
        StageLog.Log.Trained(made.Tokens, made.Seconds, made.Loss);
    });

    /// <summary>One iteration's conditional fine-tuning on the selected samples.</summary>
    [Activity]
    public Task TrainAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Training, "steps", async (progress, token) =>
    {
        var inputs = await StageInputs.ReadAsync(ledger, iteration, token);
        if (inputs.State.Training is not null)
        {
            StageLog.Log.RecordedAlready("The iteration's policy");
            return;
        }

        if (inputs.State.TrainingCheckpoint is { Step: var step })
        {
            StageLog.Log.TrainingResumed(step);
        }

        var trained = await new TrainingStage(ledger, artifacts, policies).TrainAsync(
            inputs,
            async checkpoint =>
            {
                await ledger.RecordAsync(
                    iteration.Run, iteration.Number, s => s.TrainingCheckpoint?.Step >= checkpoint.Step ? s.TrainingCheckpoint : null,
                    checkpoint, token: token);
                StageLog.Log.TrainingCheckpointed(checkpoint.Step);
            },
            progress, token);
        await ledger.RecordAsync(iteration.Run, iteration.Number, s => s.Training, trained, token: token);
        StageLog.Log.Trained(trained.Tokens, trained.Seconds, trained.Loss);
    });

    // Absent from hashes of models made on a processor, as from hashes made before there was a choice.
    private static RunDevice? OtherThanProcessor(RunDevice device) => device == RunDevice.Cpu ? null : device;

    private async Task<RunEvent.BaseModelPrepared> PretrainAsync(
        string run, RunState state, string inputs, IProgress<(long, long)> progress, CancellationToken token)
    {
        var config = state.Config;
        var texts = await artifacts.ReadJsonLinesAsync<PretrainingText>(state.Data!.Text!, token).ToArrayAsync(token);
        var resumed = state.PretrainingCheckpoint is { } checkpoint ? await policies.FolderAsync(checkpoint.Checkpoint, token) : null;
        if (state.PretrainingCheckpoint is { Step: var step })
        {
            StageLog.Log.TrainingResumed(step);
        }

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
            async (folder, steps) =>
            {
                var reached = new RunEvent.PretrainingCheckpointed(folder, steps, trainer.Step);
                await ledger.RecordAsync(
                    run, s => s.PretrainingCheckpoint?.Step >= reached.Step ? s.PretrainingCheckpoint : null, reached, token: token);
                StageLog.Log.TrainingCheckpointed(reached.Step);
            },
            progress, token);
        return new RunEvent.BaseModelPrepared(
            trained, policy.Model.WeightsHash(), inputs, false,
            curve.Sum(s => (long)s.Tokens), curve.TakeLast(20).Average(s => s.Loss), curve.Sum(s => s.Elapsed.TotalSeconds));
    }
}
