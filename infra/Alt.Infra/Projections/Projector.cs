using System.Text.Json.Serialization;
using Alt.Domain;

namespace Alt.Infra;

/// <summary>What a sample's row takes from its artifact; the text and the log-probabilities are skipped.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record SampleShape(SampleId Id, int[] Tokens, FinishReason FinishReason, string? Conditioning = null);

/// <summary>
/// What an event means for the projections: a function of the event, those before it and the artifacts that they name, so that recording
/// and rebuilding make the very same rows.
/// </summary>
internal sealed class Projector(ArtifactStore artifacts)
{
    public static bool Concerns(IterationEvent @event) => @event is
        IterationEvent.ChunkFinished { Stage: Stage.Sampling or Stage.Feedback }
            or IterationEvent.DataPoolUpdated or IterationEvent.BatchSelected or IterationEvent.PolicyTrained;

    public static ProjectionChange? ChangeOf(RunEvent @event) =>
        @event is RunEvent.RunStarted started ? Projections.AddRun(started.RunId, started.At) : null;

    /// <param name="config">What the iteration was decided with.</param>
    /// <param name="policy">Hash of the weights that the iteration samples from.</param>
    /// <param name="before">The iteration as it was before the event.</param>
    public async Task<ProjectionChange?> ChangeOfAsync(
        string run, RunConfig config, string? policy, int iteration, Func<IterationState> before, IterationEvent @event,
        CancellationToken token) => @event switch
        {
            IterationEvent.ChunkFinished { Stage: Stage.Sampling } e => Projections.AddSamples(
                run, e.Chunk, policy!, config.ConditioningOf(iteration), config.Seed, await LinesAsync<SampleShape>(e.Result, token)),
            IterationEvent.ChunkFinished { Stage: Stage.Feedback } e => before().Chunk(Stage.Feedback, e.Chunk) is null
                ? Projections.AddJudgements(run, iteration, await LinesAsync<Judgement>(e.Result, token))
                : Projections.ReplaceJudgements(run, iteration, await LinesAsync<Judgement>(e.Result, token)),
            IterationEvent.DataPoolUpdated e => Projections.AddPool(run, iteration, await LinesAsync<PoolEntry>(e.Pool, token)),
            IterationEvent.BatchSelected e => Projections.AddSelection(run, await LinesAsync<SelectedSample>(e.Batch, token)),
            IterationEvent.PolicyTrained e => Projections.AddTraining(
                run, iteration, Steps(config, iteration, e.Count, await LinesAsync<SelectedSample>(before().Selection!.Batch, token))),
            _ => null,
        };

    private static IEnumerable<IReadOnlyList<SampleId>> Steps(
        RunConfig config, int iteration, int steps, IEnumerable<SelectedSample> decisions)
    {
        SampleId[] examples = [.. decisions.Where(d => d.Selected).Select(d => d.Id).Order()];
        var order = new TrainingOrder(config.Seed, iteration, examples.Length, config.Training.BatchSize);
        return Enumerable.Range(0, steps).Select(step => order.Batch(step).Select(i => examples[i]).ToArray());
    }

    private ValueTask<T[]> LinesAsync<T>(ArtifactRef artifact, CancellationToken token) =>
        artifacts.ReadJsonLinesAsync<T>(artifact, token).ToArrayAsync(token);
}
