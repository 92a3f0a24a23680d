using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Samples generations chunk by chunk.</summary>
public sealed class SamplingActivities(Ledger ledger, ArtifactStore artifacts, Policies policies)
{
    private readonly SamplingStage _stage = new(ledger, artifacts, policies);

    [Activity]
    public Task SampleAsync(ChunkRef chunk) => Heartbeats.DuringAsync(Stage.Sampling, "tokens", (progress, token) => ledger.OnceAsync(
        chunk.Iteration, s => s.Chunk(Stage.Sampling, chunk.Chunk), inputs => _stage.SampleAsync(inputs, chunk.Chunk, progress, token),
        finished => StageLog.Log.Sampled(chunk.Iteration.Run, finished), token));

    [Activity]
    public Task CompleteSamplingAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Sampling, "chunks", (_, token) =>
        ledger.OnceAsync(
            iteration, s => s.Sampling, inputs => _stage.SumUpAsync(inputs, token),
            sums => StageLog.Log.SummedUp(sums.Samples, sums.PolicyHash, sums.Truncated), token));
}
