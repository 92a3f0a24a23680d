using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Trains the classifiers that judge, and collects one outcome for every sample.</summary>
public sealed class FeedbackActivities(Ledger ledger, ArtifactStore artifacts, Judges judges)
{
    private readonly FeedbackStage _stage = new(artifacts, judges);

    /// <summary>
    /// The reward model, and where the config asks for one of its own, the evaluation's judge; both reused if an earlier run made them.
    /// </summary>
    /// <exception cref="InputException">The judge is a checkpoint that cannot be used.</exception>
    [Activity]
    public Task TrainClassifiersAsync(string run) => Heartbeats.DuringAsync(Stage.Feedback, "classifiers", async (progress, token) =>
    {
        var state = await ledger.RunAsync(run, token);
        judges.RequireCheckpoints(state.Config.Feedback.Judge, state.Device);
        if (state.RewardClassifier is null)
        {
            await TrainAsync(run, state, ClassifierRole.Reward, state.Config.RewardModel, token);
        }

        if (state.EvaluationClassifier is null && state.Config.Evaluation.Judge is { } judge)
        {
            progress.Report((1, 2));
            await TrainAsync(run, state, ClassifierRole.Evaluation, judge, token);
        }
    });

    /// <summary>Judges a chunk; one that is judged already, again as far as it has samples in quarantine or new labels by people.</summary>
    /// <returns>null where the chunk is judged.</returns>
    [Activity]
    public Task<Hold?> CollectAsync(ChunkRef chunk) =>
        Heartbeats.DuringAsync(Stage.Feedback, "samples", (progress, token) => HoldOfAsync(() => CollectAsync(chunk, progress, token)));

    /// <returns>null where the feedback is complete; held where more samples are in quarantine than the run may continue without.</returns>
    [Activity]
    public Task<Hold?> CompleteFeedbackAsync(IterationRef iteration) =>
        Heartbeats.DuringAsync(Stage.Feedback, "chunks", (_, token) => HoldOfAsync(() => CompleteFeedbackAsync(iteration, token)));

    /// <summary>Records labels that people give to samples.</summary>
    /// <returns>How many labels were recorded.</returns>
    /// <exception cref="InputException">A label is empty, or names a sample or a tag that the run does not have.</exception>
    [Activity]
    public Task<int> LabelAsync(string run, GivenLabels given) => Heartbeats.DuringAsync(Stage.Feedback, "labels", async (_, token) =>
    {
        var recorded = await new Labelling(ledger, artifacts).RecordAsync(run, given, token);
        StageLog.Log.Labelled(recorded);
        return recorded;
    });

    /// <summary>Work on feedback may find out anywhere that it waits for a person; the workflow gets that as a value.</summary>
    private static async Task<Hold?> HoldOfAsync(Func<Task> work)
    {
        try
        {
            await work();
            return null;
        }
        catch (HoldException e)
        {
            StageLog.Log.Waits(e.Message);
            return e.Hold;
        }
    }

    private async Task CompleteFeedbackAsync(IterationRef iteration, CancellationToken token)
    {
        var inputs = await StageInputs.ReadAsync(ledger, iteration, token);
        if (inputs.State.Feedback is not null)
        {
            StageLog.Log.RecordedAlready("The iteration's feedback");
            return;
        }

        var relabelled = await _stage.RelabelledAsync(inputs, token);
        foreach (var chunk in relabelled)
        {
            await RecordAsync(inputs, chunk, await _stage.DrainAsync(inputs, chunk, null, token), token);
        }

        inputs = relabelled.Count > 0 ? await StageInputs.ReadAsync(ledger, iteration, token) : inputs;
        var (sums, outcomes) = await _stage.SumUpAsync(inputs, token);
        if (Quarantine.Hold(iteration.Number, outcomes, inputs.Run.FailureShare) is { } hold)
        {
            throw new HoldException(hold);
        }

        await ledger.RecordAsync(iteration, s => s.Feedback, sums, token);
        StageLog.Log.Collected(sums.Judge, sums.Labelled, sums.Abstained, sums.Unparsed, sums.Failed, sums.Vetoed);
        StageTelemetry.Judged(iteration.Run, sums);
    }

    private async Task CollectAsync(ChunkRef chunk, IProgress<(long Done, long Total)> progress, CancellationToken token)
    {
        var inputs = await StageInputs.ReadAsync(ledger, chunk.Iteration, token);
        var before = inputs.State.Chunk(Stage.Feedback, chunk.Chunk);
        var judged = before is null
            ? await _stage.JudgeAsync(inputs, chunk.Chunk, progress, token)
            : await _stage.DrainAsync(inputs, before, progress, token);
        await RecordAsync(inputs, before, judged, token);
        StageLog.Log.Judged(judged.Count, judged.Seconds, again: before is not null);
    }

    /// <summary>
    /// Records a chunk where it differs from what was recorded, unless another worker recorded one since the inputs were read.
    /// </summary>
    private async Task RecordAsync(
        StageInputs inputs, IterationEvent.ChunkFinished? before, IterationEvent.ChunkFinished judged, CancellationToken token)
    {
        if (judged.Result != before?.Result)
        {
            await ledger.RecordAsync(
                inputs.Iteration,
                s => s.Chunk(Stage.Feedback, judged.Chunk) is { } recorded && recorded != before ? recorded : null, judged, token);
        }
    }

    private async Task TrainAsync(string run, RunState state, ClassifierRole role, ClassifierConfig config, CancellationToken token)
    {
        var (trained, model) = await new ClassifierStage(ledger, artifacts).TrainAsync(state, role, config, token);
        await ledger.RecordAsync(
            run, s => role == ClassifierRole.Reward ? s.RewardClassifier : s.EvaluationClassifier, trained, model, token);
        StageLog.Log.ClassifierReady(role, trained.Texts, trained.Seconds, trained.Reused);
    }
}
