using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Samples generations chunk by chunk.</summary>
public sealed class SamplingActivities(Ledger ledger, ArtifactStore artifacts, Policies policies)
{
    private readonly SamplingStage _stage = new(ledger, artifacts, policies);

    [Activity]
    public Task SampleAsync(ChunkRef chunk) => Heartbeats.DuringAsync(Stage.Sampling, "tokens", async (progress, token) =>
    {
        var (run, number) = chunk.Iteration;
        var inputs = await StageInputs.ReadAsync(ledger, chunk.Iteration, token);
        if (inputs.State.Chunk(Stage.Sampling, chunk.Chunk) is not null)
        {
            StageLog.Log.RecordedAlready("The chunk");
            return;
        }

        var finished = await _stage.SampleAsync(inputs, chunk.Chunk, progress, token);
        await ledger.RecordAsync(run, number, s => s.Chunk(Stage.Sampling, chunk.Chunk), finished, token);
        StageLog.Log.Sampled(finished.Count, finished.Tokens, finished.Seconds);
        StageTelemetry.Sampled(run, finished);
    });

    [Activity]
    public Task CompleteSamplingAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Sampling, "chunks", async (_, token) =>
    {
        var inputs = await StageInputs.ReadAsync(ledger, iteration, token);
        if (inputs.State.Sampling is null)
        {
            var sums = await ledger.RecordAsync(
                iteration.Run, iteration.Number, s => s.Sampling, await _stage.SumUpAsync(inputs, token), token: token);
            StageLog.Log.SummedUp(sums.Samples, sums.PolicyHash, sums.Truncated);
        }
    });
}
