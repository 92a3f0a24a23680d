using Alt.Activities;
using Alt.Domain;
using Temporalio.Workflows;

namespace Alt.Workflows;

/// <summary>One turn of the loop: Prompts -> Sampling -> Feedback -> DataPool -> Selection -> Training -> Evaluation -> Report.</summary>
[Workflow]
public class IterationWorkflow
{
    private State _state = new();

    [WorkflowRun]
    public async Task RunAsync(IterationRef iteration)
    {
        // Iteration 0 is the base model: there is nothing to train yet, only to measure.
        if (iteration.Number > 0)
        {
            // ---- Prompts
            await EnterAsync(Stage.Prompts);
            var chunks = await Workflow.ExecuteActivityAsync((PromptsActivities a) => a.DrawAsync(iteration), ActivityPolicies.Light);

            // ---- Sampling
            await EnterAsync(Stage.Sampling, chunks);
            await ForEachChunkAsync(chunks, chunk =>
                Workflow.ExecuteActivityAsync((SamplingActivities a) => a.SampleAsync(new(iteration, chunk)), ActivityPolicies.Chunk));
            await Workflow.ExecuteActivityAsync((SamplingActivities a) => a.CompleteSamplingAsync(iteration), ActivityPolicies.Light);

            // ---- Feedback
            await EnterAsync(Stage.Feedback, chunks);
            var collect = () => ForEachChunkAsync(chunks, chunk => UntilDoneAsync(() =>
                Workflow.ExecuteActivityAsync((FeedbackActivities a) => a.CollectAsync(new(iteration, chunk)), ActivityPolicies.Feedback)));
            await collect();
            await UntilDoneAsync(() =>
                Workflow.ExecuteActivityAsync((FeedbackActivities a) => a.CompleteFeedbackAsync(iteration), ActivityPolicies.Light),
                again: collect);

            // ---- DataPool
            await EnterAsync(Stage.DataPool);
            await Workflow.ExecuteActivityAsync((DataPoolActivities a) => a.UpdateAsync(iteration), ActivityPolicies.Light);

            // ---- Selection
            await EnterAsync(Stage.Selection);
            await Workflow.ExecuteActivityAsync((SelectionActivities a) => a.SelectAsync(iteration), ActivityPolicies.Light);

            // ---- Training
            await EnterAsync(Stage.Training);
            await Workflow.ExecuteActivityAsync((TrainingActivities a) => a.TrainAsync(iteration), ActivityPolicies.Training);
        }

        // ---- Evaluation
        var evaluationChunks = await Workflow.ExecuteActivityAsync(
            (EvaluationActivities a) => a.PlanAsync(iteration), ActivityPolicies.Light);
        await EnterAsync(Stage.Evaluation, evaluationChunks);
        await ForEachChunkAsync(evaluationChunks, chunk =>
            Workflow.ExecuteActivityAsync((EvaluationActivities a) => a.EvaluateAsync(new(iteration, chunk)), ActivityPolicies.Chunk));
        await Workflow.ExecuteActivityAsync((EvaluationActivities a) => a.CompleteEvaluationAsync(iteration), ActivityPolicies.Light);

        // ---- Report
        await EnterAsync(Stage.Report);
        await Workflow.ExecuteActivityAsync((ReportActivities a) => a.FinishIterationAsync(iteration), ActivityPolicies.Light);
    }

    [WorkflowSignal]
    public Task PauseAsync() => Task.FromResult(_state = _state with { Paused = true });

    [WorkflowSignal]
    public Task ResumeAsync() => Task.FromResult(_state = _state with { Paused = false });

    [WorkflowQuery]
    public State Progress() => _state;

    private async Task EnterAsync(Stage stage, int chunks = 0)
    {
        await ResumedAsync();
        _state = _state with { Stage = stage, ChunksDone = 0, Chunks = chunks };
    }

    /// <summary>Repeats work that waits for a person: pauses the whole run with its reason, and continues when the run does.</summary>
    /// <param name="again">Runs before another try.</param>
    private async Task UntilDoneAsync(Func<Task<Hold?>> work, Func<Task>? again = null)
    {
        while (await work() is { } hold)
        {
            if (!_state.Paused)
            {
                _state = _state with { Paused = true };
                if (Workflow.Info.Parent is { } parent)
                {
                    await Workflow.GetExternalWorkflowHandle<AltRunWorkflow>(parent.WorkflowId).SignalAsync(w => w.HoldAsync(hold));
                }
            }

            await ResumedAsync();
            await (again?.Invoke() ?? Task.CompletedTask);
        }
    }

    private Task ForEachChunkAsync(int chunks, Func<int, Task> work)
    {
        _state = _state with { ChunksDone = 0 };
        return Chunks.ForEachAsync(chunks, async chunk =>
        {
            await ResumedAsync();
            await work(chunk);
            _state = _state with { ChunksDone = _state.ChunksDone + 1 };
        });
    }

    private Task ResumedAsync() => Workflow.WaitConditionAsync(() => !_state.Paused);

    /// <summary>Where an iteration is; chunks are 0 of 0 in stages that have none.</summary>
    public sealed record State
    {
        public Stage Stage { get; init; }

        public int ChunksDone { get; init; }

        public int Chunks { get; init; }

        public bool Paused { get; init; }
    }
}
