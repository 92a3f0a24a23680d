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
    public Task EvaluateAsync(ChunkRef chunk) => Heartbeats.DuringAsync(Stage.Evaluation, "tokens", (progress, token) => ledger.OnceAsync(
        chunk.Iteration, s => s.Chunk(Stage.Evaluation, chunk.Chunk), inputs => _stage.EvaluateAsync(inputs, chunk.Chunk, progress, token),
        finished => StageLog.Log.Sampled(chunk.Iteration.Run, finished), token));

    [Activity]
    public Task CompleteEvaluationAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Evaluation, "samples", (_, token) =>
        ledger.OnceAsync(
            iteration, s => s.Evaluation, inputs => _stage.MeasureAsync(inputs, token),
            measured => StageLog.Log.Measured(measured.Samples, measured.Prompts, measured.Unjudged, measured.Improbable), token));
}
