using Alt.Domain;
using Alt.Infra;
using Alt.Model.Sampling;
using Alt.Model.Training;

namespace Alt.Activities;

/// <summary>Runs a trainer to its end and stores what it makes: the checkpoint that it ends with, and those on the way.</summary>
/// <param name="largestFile">How many bytes of weights one file of a checkpoint holds at most.</param>
internal sealed class TrainingLoop(ArtifactStore artifacts, Policies policies, long largestFile)
{
    /// <param name="run">The run that the steps' metrics belong to.</param>
    /// <param name="curve">The steps that were made before, from an earlier checkpoint; the new ones are added.</param>
    /// <param name="record">Gets the checkpoint and the curve so far every so many steps; null where none are wanted.</param>
    public async Task<(ArtifactRef Checkpoint, IReadOnlyList<StepMetrics> Curve)> RunAsync(
        string run, Trainer trainer, Policy policy, int steps, int checkpointEvery, List<StepMetrics> curve,
        Func<ArtifactRef, ArtifactRef, Task>? record,
        IProgress<(long, long)>? progress, CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        foreach (var step in trainer.TakeSteps())
        {
            curve.Add(step);
            TrainingTelemetry.Record(run, step);
            progress?.Report((trainer.Step, steps));
            if (record is not null && trainer.Step % checkpointEvery == 0 && trainer.Step < steps)
            {
                await record(await SaveAsync(trainer, policy, token), await artifacts.PutJsonLinesAsync(curve, token));
            }

            token.ThrowIfCancellationRequested();
        }

        return (await SaveAsync(trainer, policy, token), curve);
    }

    /// <summary>The steps of a recorded curve; none where there is no record.</summary>
    public async Task<List<StepMetrics>> CurveAsync(ArtifactRef? steps, CancellationToken token) =>
        steps is null ? [] : await artifacts.ReadJsonLinesAsync<StepMetrics>(steps, token).ToListAsync(token);

    private async Task<ArtifactRef> SaveAsync(Trainer trainer, Policy policy, CancellationToken token)
    {
        var folder = policies.NewFolder();
        try
        {
            trainer.Save(folder, largestFile);
            policy.Tokenizer.Save(folder);
            return await artifacts.PutFolderAsync(folder, token);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
