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

    private bool? paused; // null until the record or a person has said so
    private string? held;
    private bool changing;
    private CancellationTokenSource? abandon;
    private bool started;
    private bool stopped;
    private RunProgress progress = new("Starting", 0, 0);
    private ChildWorkflowHandle<IterationWorkflow>? iteration;

    private static string Run =>
        Workflow.Info.WorkflowId is var id && id.StartsWith(IdPrefix, StringComparison.Ordinal) ? id[IdPrefix.Length..] : id;

    public static string IdOf(string run) => IdPrefix + run;

    public static string IterationIdOf(string run, int iteration) => $"{IdOf(run)}-iteration-{iteration}";

    [WorkflowRun]
    public async Task RunAsync(RunConfig config)
    {
        var run = Run;
        try
        {
            await RunAsync(run, config);
        }
        catch (Exception e) when (e is FailureException && !TemporalException.IsCanceledException(e))
        {
            var reason = Reason(e);
            await Workflow.ExecuteActivityAsync((ReportActivities a) => a.FailAsync(run, reason), ActivityPolicies.Light);
            throw;
        }
    }

    [WorkflowSignal]
    public Task PauseAsync() => PauseAsync(true);

    /// <summary>An iteration cannot go on until somebody does what the reason says.</summary>
    [WorkflowSignal]
    public Task HoldAsync(string reason)
    {
        if (!stopped)
        {
            return PauseAsync(true, reason);
        }

        // It waits for somebody, and the run is to end.
        abandon?.Cancel();
        return Task.CompletedTask;
    }

    [WorkflowSignal]
    public Task ResumeAsync() => PauseAsync(false);

    /// <summary>Takes labels that people give to samples; they count over whatever a provider says, until their iteration's feedback is complete.</summary>
    /// <returns>How many labels were recorded.</returns>
    [WorkflowUpdate]
    public Task<int> LabelAsync(GivenLabels labels) => Workflow.ExecuteActivityAsync((ReportActivities a) => a.LabelAsync(Run, labels), ActivityPolicies.Light);

    /// <summary>Ends the run after the iteration that is under way; at once where that waits for somebody.</summary>
    [WorkflowSignal]
    public Task StopAsync()
    {
        stopped = true;
        if (held is not null)
        {
            abandon?.Cancel();
            return Task.CompletedTask;
        }

        // A paused iteration would never end.
        return PauseAsync(false);
    }

    [WorkflowQuery]
    public RunProgress Progress() => progress with { Paused = paused == true, WaitsFor = held };

    private async Task RunAsync(string run, RunConfig config)
    {
        var (next, wasPaused) = await Workflow.ExecuteActivityAsync((PromptsActivities a) => a.StartRunAsync(run, config), ActivityPolicies.Light);
        paused ??= wasPaused;
        started = true;

        Enter("Prompts", next);
        await Workflow.ExecuteActivityAsync((PromptsActivities a) => a.ImportAsync(run), ActivityPolicies.Light);
        Enter("Feedback", next);
        await Workflow.ExecuteActivityAsync((FeedbackActivities a) => a.TrainClassifiersAsync(run), ActivityPolicies.Training);
        Enter("Training", next);
        await Workflow.ExecuteActivityAsync((TrainingActivities a) => a.PretrainAsync(run), ActivityPolicies.Training);

        for (; next <= config.Iterations && !stopped; next++)
        {
            await Workflow.WaitConditionAsync(() => paused == false || stopped);
            if (stopped)
            {
                break;
            }

            Enter("Iteration", next);
            var number = next; // the loop's own variable moves on under the lambda
            using (abandon = CancellationTokenSource.CreateLinkedTokenSource(Workflow.CancellationToken))
            {
                iteration = await Workflow.StartChildWorkflowAsync(
                    (IterationWorkflow w) => w.RunAsync(new IterationRef(run, number)),
                    new() { Id = IterationIdOf(run, number), CancellationToken = abandon.Token });
                try
                {
                    await iteration.GetResultAsync();
                }
                catch (FailureException e) when (stopped && TemporalException.IsCanceledException(e))
                {
                    break;
                }
                finally
                {
                    (iteration, abandon) = (null, null);
                }
            }

            if (Workflow.ContinueAsNewSuggested)
            {
                throw Workflow.CreateContinueAsNewException((AltRunWorkflow w) => w.RunAsync(config));
            }
        }

        Enter("Report", next);
        await Workflow.ExecuteActivityAsync((ReportActivities a) => a.FinishRunAsync(run, stopped), ActivityPolicies.Light);

        void Enter(string stage, int iteration) => progress = new(stage, iteration, config.Iterations);
    }

    private async Task PauseAsync(bool pause, string? reason = null)
    {
        // One after the other, in the order in which they came, which runs from before did side by side; and a run's first fact is that it started.
        var inTurn = Workflow.Patched("signals-in-turn");
        await Workflow.WaitConditionAsync(() => started && !(inTurn && changing));
        if (paused == pause || pause && stopped)
        {
            return;
        }

        (paused, held, changing) = (pause, reason, true);
        try
        {
            await TellAsync(pause, reason);
        }
        finally
        {
            changing = false;
        }
    }

    /// <summary>Tells the record and the iteration under way.</summary>
    private async Task TellAsync(bool pause, string? reason)
    {
        await Workflow.ExecuteActivityAsync((ReportActivities a) => a.PauseAsync(Run, pause, reason), ActivityPolicies.Light);
        if (iteration is not { } running)
        {
            return;
        }

        try
        {
            await (pause ? running.SignalAsync(w => w.PauseAsync()) : running.SignalAsync(w => w.ResumeAsync()));
        }
        catch (FailureException e)
        {
            // The iteration ended before the signal reached it; the next one waits for this workflow's own flag.
            Workflow.Logger.LogInformation("Iteration {Id} was over before it could be paused or resumed: {Reason}", running.Id, e.Message);
        }
    }

    /// <summary>What the activity or the workflow itself said: neither the layers that it came through nor what it wraps.</summary>
    public static string Reason(Exception e) => e is ApplicationFailureException || e.InnerException is null ? e.Message : Reason(e.InnerException);
}

/// <summary>Where a run is: what it prepares, or the iteration that is under way.</summary>
/// <param name="WaitsFor">What somebody has to do, where the run paused itself.</param>
public sealed record RunProgress(string Stage, int Iteration, int Iterations, bool Paused = false, string? WaitsFor = null);
