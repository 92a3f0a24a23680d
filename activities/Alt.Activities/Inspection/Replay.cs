using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>One event of an iteration, derived again.</summary>
/// <param name="Event">The event's name, such as <c>DataPoolUpdated</c>.</param>
/// <param name="Chunk">The chunk of a <c>ChunkFinished</c>; null for other events.</param>
/// <param name="Difference">Where the derived event first differs from the recorded one; null where it does not.</param>
public sealed record ReplayedEvent(Stage Stage, string Event, int? Chunk, EventDifference? Difference)
{
    public bool Equal => Difference is null;
}

/// <summary>
/// Derives an iteration's events again by the functions that made them, each from the recorded events before it, so that a difference
/// shows at the stage that it arose in. Writes to the given store only and to no ledger.
/// </summary>
/// <param name="artifacts">Reads what is recorded, and takes what is derived.</param>
public sealed class Replay(Ledger ledger, ArtifactStore artifacts, Policies policies, Classifiers classifiers, Judges judges)
{
    /// <summary>The iteration's recorded decisions: what follows from the record without sampling, judging or training.</summary>
    /// <param name="execute">Also draws, judges, trains and evaluates again.</param>
    /// <exception cref="ArtifactException">A recorded artifact is missing or corrupt.</exception>
    public async IAsyncEnumerable<ReplayedEvent> DeriveAsync(
        StageInputs inputs, bool execute, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
    {
        var state = inputs.State;
        if (state.Prompts is { } prompts)
        {
            yield return await CompareAsync(Stage.Prompts, prompts, await new PromptsStage(artifacts).DrawAsync(inputs, token), token);
        }

        var sampling = new SamplingStage(ledger, artifacts, policies);
        foreach (var chunk in execute ? state.Chunks(Stage.Sampling) : [])
        {
            yield return await CompareAsync(Stage.Sampling, chunk, await sampling.SampleAsync(inputs, chunk.Chunk, null, token), token);
        }

        if (state.Sampling is { } sampled)
        {
            yield return await CompareAsync(Stage.Sampling, sampled, await sampling.SumUpAsync(inputs, token), token);
        }

        var feedback = new FeedbackStage(artifacts, judges);
        foreach (var chunk in execute ? state.Chunks(Stage.Feedback) : [])
        {
            yield return await CompareAsync(Stage.Feedback, chunk, await feedback.JudgeAsync(inputs, chunk.Chunk, null, token), token);
        }

        if (state.Feedback is { } collected)
        {
            yield return await CompareAsync(Stage.Feedback, collected, (await feedback.SumUpAsync(inputs, token)).Sums, token);
        }

        if (state.DataPool is { } pool)
        {
            yield return await CompareAsync(
                Stage.DataPool, pool, await new DataPoolStage(ledger, artifacts).PoolAsync(inputs, token), token);
        }

        if (state.Selection is { } selection)
        {
            yield return await CompareAsync(
                Stage.Selection, selection, await new SelectionStage(artifacts).SelectAsync(inputs, token), token);
        }

        if (execute && state.Training is { } training)
        {
            // From its beginning: a recorded checkpoint on the way would hide what came before it.
            var fresh = inputs with { State = state with { TrainingCheckpoint = null } };
            yield return await CompareAsync(
                Stage.Training, training, await new TrainingStage(ledger, artifacts, policies).TrainAsync(fresh, null, null, token), token);
        }

        var evaluation = new EvaluationStage(ledger, artifacts, policies, classifiers);
        foreach (var chunk in execute ? state.Chunks(Stage.Evaluation) : [])
        {
            yield return await CompareAsync(
                Stage.Evaluation, chunk, await evaluation.EvaluateAsync(inputs, chunk.Chunk, null, token), token);
        }

        if (state.Evaluation is { } evaluated)
        {
            yield return await CompareAsync(Stage.Evaluation, evaluated, await evaluation.MeasureAsync(inputs, token), token);
        }
    }

    private async Task<ReplayedEvent> CompareAsync<T>(Stage stage, T recorded, T derived, CancellationToken token)
        where T : IterationEvent =>
        new(
            stage, typeof(T).Name, (recorded as IterationEvent.ChunkFinished)?.Chunk,
            await EventDifference.FindAsync(recorded, derived, artifacts, token));
}
