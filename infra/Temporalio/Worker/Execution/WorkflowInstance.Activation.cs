using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Worker.Execution;

namespace Temporalio.Worker;

/// <content>One workflow task: events in, code runs, commands out.</content>
internal sealed partial class WorkflowInstance
{
    /// <summary>Lets the code take in events and run as far as it can.</summary>
    /// <exception cref="Exception">The code failed in a way that fails the workflow task; this instance must not be used any more.</exception>
    public void Activate(WorkflowActivation activation) => RunWithoutContext(() =>
    {
        MatchCommands(activation.Chunk.Events);
        SetTime(activation);
        patchesInHistory.UnionWith(activation.Patches);
        ApplyEvents(activation);
        StartMain();
        RunUntilBlocked();
        foreach (var outcome in activation.LocalActivities)
        {
            ResolveLocalActivity(outcome);
        }
        WarnOfUnfinishedHandlers();
    });

    /// <summary>Checks the last commands of a history that no further workflow task follows.</summary>
    /// <exception cref="Exceptions.WorkflowNondeterminismException">They differ from the code's.</exception>
    public void MatchCommands(IEnumerable<HistoryEvent> events)
    {
        // The first chunk precedes every command.
        foreach (var evt in events.Where(evt => CommandLedger.IsCommandEvent(evt.EventType)))
        {
            ledger.Match(evt);
        }
        ledger.AssertAllMatched();
    }

    private void SetTime(WorkflowActivation activation)
    {
        IsReplaying = activation.IsReplaying;
        if (activation.Chunk.Started is not { } started)
        {
            return;
        }
        UtcNow = started.EventTime.ToDateTime();
        CurrentHistoryLength = (int)started.EventId;
        CurrentHistorySize = (int)started.WorkflowTaskStartedEventAttributes.HistorySizeBytes;
        ContinueAsNewSuggested = started.WorkflowTaskStartedEventAttributes.SuggestContinueAsNew;
    }

    // Signals and updates come before what else happened, so that their handlers' first steps do.
    private void ApplyEvents(WorkflowActivation activation)
    {
        foreach (var evt in activation.Chunk.Events)
        {
            if (evt.WorkflowExecutionSignaledEventAttributes is { } signal)
            {
                ApplySignal(signal.SignalName, signal.Input);
            }
            else if (evt.WorkflowExecutionUpdateAdmittedEventAttributes is { } admitted)
            {
                admittedUpdates[admitted.Request.Meta.UpdateId] = admitted.Request;
            }
            else if (evt.WorkflowTaskFailedEventAttributes is { Cause: WorkflowTaskFailedCause.ResetWorkflow } reset)
            {
                Random = new DeterministicRandom(reset.NewRunId);
            }
        }
        foreach (var update in activation.Updates)
        {
            ApplyUpdate(update);
        }
        foreach (var evt in activation.Chunk.Events)
        {
            ApplyResolution(evt);
        }
    }

    private void ApplyResolution(HistoryEvent evt)
    {
        switch (evt.EventType)
        {
            case EventType.TimerFired:
                ResolveTimer(evt.TimerFiredEventAttributes.StartedEventId);
                break;
            case EventType.ActivityTaskCompleted or EventType.ActivityTaskFailed or EventType.ActivityTaskTimedOut or EventType.ActivityTaskCanceled:
                ResolveActivity(evt);
                break;
            case EventType.ChildWorkflowExecutionStarted or EventType.StartChildWorkflowExecutionFailed:
                ResolveChildStart(evt);
                break;
            case EventType.ChildWorkflowExecutionCompleted or EventType.ChildWorkflowExecutionFailed or EventType.ChildWorkflowExecutionCanceled
                or EventType.ChildWorkflowExecutionTimedOut or EventType.ChildWorkflowExecutionTerminated:
                ResolveChild(evt);
                break;
            case EventType.ExternalWorkflowExecutionSignaled or EventType.SignalExternalWorkflowExecutionFailed
                or EventType.ExternalWorkflowExecutionCancelRequested or EventType.RequestCancelExternalWorkflowExecutionFailed:
                ResolveExternal(evt);
                break;
            case EventType.WorkflowExecutionCancelRequested:
                cancellation.Cancel();
                break;
        }
    }

    private void StartMain()
    {
        if (!mainStarted)
        {
            mainStarted = true;
            _ = RunAsTask(() => RunTopLevelAsync(RunMainAsync));
        }
    }

    // Awaits must come back to this scheduler.
    private static void RunWithoutContext(Action code)
    {
        var previous = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            code();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(previous);
        }
    }
}
