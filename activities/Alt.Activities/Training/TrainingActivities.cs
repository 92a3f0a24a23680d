using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Trains the base model once and the policy in every iteration; both continue from their last recorded checkpoint.</summary>
public sealed class TrainingActivities(Ledger ledger, ArtifactStore artifacts, Policies policies)
{
    /// <exception cref="InputException">The given checkpoint cannot be used.</exception>
    [Activity]
    public Task PretrainAsync(string run) => Heartbeats.DuringAsync(Stage.Training, "steps", async (progress, token) =>
    {
        var state = await ledger.RunAsync(run, token);
        if (state.Base is not null)
        {
            StageLog.Log.RecordedAlready(nameof(RunEvent.BaseModelPrepared));
            return;
        }

        LogResumed(state.PretrainingCheckpoint?.Step);
        var made = await new PretrainingStage(ledger, artifacts, policies).PrepareAsync(
            run, state,
            async reached =>
            {
                await ledger.RecordAsync(
                    run, s => s.PretrainingCheckpoint?.Step >= reached.Step ? s.PretrainingCheckpoint : null, reached, token: token);
                StageLog.Log.TrainingCheckpointed(reached.Step);
            },
            progress, token);
        var prepared = made.Reused
            ? null
            : new PreparedModel(made.InputsHash, made.Checkpoint, made.WeightsHash, 0, made.Tokens, made.Loss);
        await ledger.RecordAsync(run, s => s.Base, made, prepared, token);
        if (made.Reused)
        {
            StageLog.Log.BaseModelGiven(made.Checkpoint.ShortHash);
        }
        else
        {
            StageLog.Log.Trained(made.Tokens, made.Seconds, made.Loss);
        }
    });

    /// <summary>One iteration's conditional fine-tuning on the selected samples.</summary>
    [Activity]
    public Task TrainAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Training, "steps", (progress, token) => ledger.OnceAsync(
        iteration, s => s.Training,
        inputs =>
        {
            LogResumed(inputs.State.TrainingCheckpoint?.Step);
            return new TrainingStage(ledger, artifacts, policies).TrainAsync(
                inputs,
                async reached =>
                {
                    await ledger.RecordAsync(
                        iteration, s => s.TrainingCheckpoint?.Step >= reached.Step ? s.TrainingCheckpoint : null, reached, token);
                    StageLog.Log.TrainingCheckpointed(reached.Step);
                },
                progress, token);
        },
        trained => StageLog.Log.Trained(trained.Tokens, trained.Seconds, trained.Loss), token));

    private static void LogResumed(int? step)
    {
        if (step is { } reached)
        {
            StageLog.Log.TrainingResumed(reached);
        }
    }
}
