using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Measures a policy on held-out prompts, chunk by chunk.</summary>
public sealed class EvaluationActivities(Ledger ledger, ArtifactStore artifacts, Policies policies, Classifiers classifiers)
{
    private readonly EvaluationStage _stage = new(ledger, artifacts, policies, classifiers);

    /// <returns>How many chunks the evaluation prompts make.</returns>
    [Activity]
    public Task<int> PlanAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Evaluation, "prompts", async (_, token) =>
        EvaluationStage.Chunks(await ledger.RunAsync(iteration.Run, token)));

    [Activity]
    public Task EvaluateAsync(ChunkRef chunk) => Heartbeats.DuringAsync(Stage.Evaluation, "tokens", async (progress, token) =>
    {
        var (run, number) = chunk.Iteration;
        var inputs = await StageInputs.ReadAsync(ledger, chunk.Iteration, token);
        if (inputs.State.Chunk(Stage.Evaluation, chunk.Chunk) is not null)
        {
            StageLog.Log.RecordedAlready("The chunk");
            return;
        }

        var finished = await _stage.EvaluateAsync(inputs, chunk.Chunk, progress, token);
        await ledger.RecordAsync(run, number, s => s.Chunk(Stage.Evaluation, chunk.Chunk), finished, token: token);
        StageLog.Log.Sampled(finished.Count, finished.Tokens, finished.Seconds);
        StageTelemetry.Sampled(run, finished);
    });

    [Activity]
    public Task CompleteEvaluationAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Evaluation, "samples", async (_, token) =>
    {
        var inputs = await StageInputs.ReadAsync(ledger, iteration, token);
        if (inputs.State.Evaluation is null)
        {
            var measured = await ledger.RecordAsync(
                iteration.Run, iteration.Number, s => s.Evaluation, await _stage.MeasureAsync(inputs, token), token: token);
            StageLog.Log.Measured(measured.Samples, measured.Prompts, measured.Unjudged, measured.Improbable);
        }
    });
}
