using Alt.Activities;
using Alt.Domain;
using Microsoft.Extensions.Logging;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Workflows;

/// <summary>A whole run: prepares what all iterations share, then one <see cref="IterationWorkflow"/> after the other.</summary>
/// <remarks>The workflow's id is <c>run-{run}</c>; any Temporal client can start it with the config as JSON.</remarks>
[Workflow]
public class AltRunWorkflow
{
    private const string IdPrefix = "run-";

    private readonly RunConfig _config;

    // Changes are made one after the other, in the order in which they came.
    private readonly Temporalio.Workflows.Mutex _turn = new();
    private State _state;
    private ChildWorkflowHandle<IterationWorkflow>? _underWay;
    private CancellationTokenSource? _abandon;

    /// <summary>Runs before every handler, so that a signal that is pending at the start finds the carried state.</summary>
    [WorkflowInit]
    public AltRunWorkflow(RunConfig config, State? carried) =>
        (_config, _state) = (config, (carried ?? new State()) with { Iterations = config.Iterations });

    private static string Run =>
        Workflow.Info.WorkflowId is var id && id.StartsWith(IdPrefix, StringComparison.Ordinal) ? id[IdPrefix.Length..] : id;

    private bool IsRecorded => _state.Phase != RunPhase.Starting;

    private bool IsPrepared => _state.Phase == RunPhase.Iterating;

    private bool IsClosing => _state.Phase == RunPhase.Closing;

    private bool MayIterate => !_state.Paused || _state.Stopping;

    private bool ShouldContinueAsNew => Workflow.ContinueAsNewSuggested || Workflow.CurrentHistoryLength > _state.HistoryLimit;

    public static string IdOf(string run) => IdPrefix + run;

    public static string IterationIdOf(string run, int iteration) => $"{IdOf(run)}-iteration-{iteration}";

    /// <summary>The message of the activity or the workflow itself, without the layers that it came through and what it wraps.</summary>
    public static string Reason(Exception e) =>
        e is ApplicationFailureException || e.InnerException is null ? e.Message : Reason(e.InnerException);

    /// <param name="carried">The run's state before it continued as new; null at its start.</param>
    [WorkflowRun]
    public async Task RunAsync(RunConfig config, State? carried = null)
    {
        try
        {
            await RunAsync();
        }
        catch (Exception e) when (e is FailureException && !TemporalException.IsCanceledException(e))
        {
            Enter(RunPhase.Closing);
            await AllHandlersFinishedAsync();
            await Workflow.ExecuteActivityAsync((ReportActivities a) => a.FailAsync(Run, Reason(e)), ActivityPolicies.Light);
            throw;
        }
    }

    [WorkflowSignal]
    public Task PauseAsync() => PauseAsync(true);

    /// <summary>An iteration cannot continue until a person acts.</summary>
    [WorkflowSignal]
    public Task HoldAsync(Hold hold)
    {
        if (!_state.Stopping)
        {
            return PauseAsync(true, hold);
        }

        // The iteration waits for a person, and the run is to end.
        _abandon?.Cancel();
        return Task.CompletedTask;
    }

    [WorkflowSignal]
    public Task ResumeAsync() => PauseAsync(false);

    /// <summary>
    /// Takes labels that people give to samples; they take precedence over every judge, until their iteration's feedback is complete.
    /// </summary>
    /// <returns>How many labels were recorded.</returns>
    [WorkflowUpdate]
    public async Task<int> LabelAsync(GivenLabels labels)
    {
        await Workflow.WaitConditionAsync(() => IsRecorded);
        return await Workflow.ExecuteActivityAsync((FeedbackActivities a) => a.LabelAsync(Run, labels), ActivityPolicies.Light);
    }

    /// <summary>Ends the run after the iteration that is under way; at once where that waits for a person.</summary>
    [WorkflowSignal]
    public Task StopAsync()
    {
        _state = _state with { Stopping = true };
        if (_state.Hold is not null)
        {
            _abandon?.Cancel();
            return Task.CompletedTask;
        }

        // A paused iteration would never end.
        return PauseAsync(false);
    }

    [WorkflowQuery]
    public State Progress() => _state;

    private static Task AllHandlersFinishedAsync() => Workflow.WaitConditionAsync(() => Workflow.AllHandlersFinished);

    private async Task RunAsync()
    {
        if (!IsPrepared)
        {
            await PrepareAsync();
        }

        while (_state.Iteration <= _state.Iterations && !_state.Stopping)
        {
            await Workflow.WaitConditionAsync(() => MayIterate);
            if (_state.Stopping || !await IterateAsync())
            {
                break;
            }

            _state = _state with { Iteration = _state.Iteration + 1 };
            if (ShouldContinueAsNew)
            {
                await AllHandlersFinishedAsync();
                var carried = _state;
                throw Workflow.CreateContinueAsNewException((AltRunWorkflow w) => w.RunAsync(_config, carried));
            }
        }

        // What came before the end is recorded before it.
        await AllHandlersFinishedAsync();
        Enter(RunPhase.Closing);
        var isEarly = _state.Iteration <= _state.Iterations;
        await Workflow.ExecuteActivityAsync((ReportActivities a) => a.FinishRunAsync(Run, isEarly), ActivityPolicies.Light);
        await AllHandlersFinishedAsync();
    }

    private async Task PrepareAsync()
    {
        // ---- Prompts
        var plan = await Workflow.ExecuteActivityAsync((PromptsActivities a) => a.StartRunAsync(Run, _config), ActivityPolicies.Light);
        _state = _state with { Phase = RunPhase.Importing, Iteration = plan.Next, Paused = plan.Paused };
        await Workflow.ExecuteActivityAsync((PromptsActivities a) => a.ImportAsync(Run), ActivityPolicies.Light);

        // ---- Feedback
        Enter(RunPhase.TrainingClassifiers);
        await Workflow.ExecuteActivityAsync((FeedbackActivities a) => a.TrainClassifiersAsync(Run), ActivityPolicies.Training);

        // ---- Training
        Enter(RunPhase.Pretraining);
        await Workflow.ExecuteActivityAsync((TrainingActivities a) => a.PretrainAsync(Run), ActivityPolicies.Training);
    }

    /// <returns>false where the iteration waited for a person and was abandoned, because the run is to end.</returns>
    private async Task<bool> IterateAsync()
    {
        Enter(RunPhase.Iterating);
        using (_abandon = CancellationTokenSource.CreateLinkedTokenSource(Workflow.CancellationToken))
        {
            try
            {
                var iteration = new IterationRef(Run, _state.Iteration);
                _underWay = await Workflow.StartChildWorkflowAsync(
                    (IterationWorkflow w) => w.RunAsync(iteration),
                    new() { Id = IterationIdOf(Run, _state.Iteration), CancellationToken = _abandon.Token });
                if (_state.Paused)
                {
                    // The pause came before there was an iteration to signal.
                    await TellAsync(_underWay, pause: true);
                }

                await _underWay.GetResultAsync();
                return true;
            }
            catch (FailureException e) when (_state.Stopping && TemporalException.IsCanceledException(e))
            {
                return false;
            }
            finally
            {
                (_underWay, _abandon) = (null, null);
            }
        }
    }

    private async Task PauseAsync(bool pause, Hold? hold = null)
    {
        // A run's first fact is that it started.
        await Workflow.WaitConditionAsync(() => IsRecorded);
        await _turn.WaitOneAsync();
        try
        {
            if (_state.Paused == pause || (pause && _state.Stopping) || IsClosing)
            {
                return;
            }

            _state = _state with { Paused = pause, Hold = hold };
            await Workflow.ExecuteActivityAsync((ReportActivities a) => a.PauseAsync(Run, pause, hold), ActivityPolicies.Light);
            if (_underWay is { } iteration)
            {
                await TellAsync(iteration, pause);
            }
        }
        finally
        {
            _turn.ReleaseMutex();
        }
    }

    private static async Task TellAsync(ChildWorkflowHandle<IterationWorkflow> iteration, bool pause)
    {
        try
        {
            await (pause ? iteration.SignalAsync(w => w.PauseAsync()) : iteration.SignalAsync(w => w.ResumeAsync()));
        }
        catch (FailureException e)
        {
            // The iteration ended before the signal reached it; the next one waits for this workflow's own state.
            Workflow.Logger.LogInformation(
                "Iteration {Id} was over before it could be paused or resumed: {Reason}", iteration.Id, e.Message);
        }
    }

    private void Enter(RunPhase phase) => _state = _state with { Phase = phase };

    /// <summary>A run's whole state: what the query returns, and what is carried when the run continues as new.</summary>
    public sealed record State
    {
        public RunPhase Phase { get; init; }

        /// <summary>The iteration that is under way or comes next; 0 is the base model.</summary>
        public int Iteration { get; init; }

        /// <summary>The number of the last iteration.</summary>
        public int Iterations { get; init; }

        public bool Paused { get; init; }

        /// <summary>Why the run paused itself; null if it did not.</summary>
        public Hold? Hold { get; init; }

        /// <summary>The run ends with the iteration that is under way.</summary>
        public bool Stopping { get; init; }

        /// <summary>The run continues as new after an iteration that leaves more events than this in its history. For tests.</summary>
        /// <value>Default: null, only when the server suggests it.</value>
        public int? HistoryLimit { get; init; }
    }
}
