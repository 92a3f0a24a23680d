using Temporalio.Api.History.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

// Derives state from history, as far as possible, for runs that begin with another run's events.
internal sealed partial class WorkflowRun
{
    /// <summary>Takes over an event of another run with its id and time, and applies it to the state.</summary>
    private void Adopt(HistoryEvent original, string originalRunId)
    {
        var e = original.Clone();
        _history.Add(e);
        State.NextEventId = e.EventId + 1;
        State.HistoryBytes += e.CalculateSize();
        Fold(e, originalRunId);
    }

    private void Fold(HistoryEvent e, string originalRunId)
    {
        switch (e.AttributesCase)
        {
            case HistoryEvent.AttributesOneofCase.WorkflowTaskScheduledEventAttributes:
                State.Task = new WorkflowTask
                {
                    Attempt = 1,
                    ScheduledEventId = e.EventId,
                    ScheduledTime = e.EventTime,
                    OriginalScheduledTime = e.EventTime,
                };
                break;
            case HistoryEvent.AttributesOneofCase.WorkflowTaskStartedEventAttributes:
                State.Task.StartedEventId = e.EventId;
                State.Task.StartedTime = e.EventTime;
                break;
            case HistoryEvent.AttributesOneofCase.WorkflowTaskCompletedEventAttributes:
                State.LastStartedEventId = e.WorkflowTaskCompletedEventAttributes.StartedEventId;
                State.Task = null;
                break;
            case HistoryEvent.AttributesOneofCase.WorkflowTaskFailedEventAttributes:
            case HistoryEvent.AttributesOneofCase.WorkflowTaskTimedOutEventAttributes:
                State.Task = null;
                break;
            case HistoryEvent.AttributesOneofCase.WorkflowExecutionSignaledEventAttributes:
                NoteSignal(e.WorkflowExecutionSignaledEventAttributes.RequestId);
                break;
            case HistoryEvent.AttributesOneofCase.WorkflowExecutionCancelRequestedEventAttributes:
                State.CancelRequested = true;
                break;
            case HistoryEvent.AttributesOneofCase.WorkflowExecutionOptionsUpdatedEventAttributes:
                State.StartRequestIds.Add(e.WorkflowExecutionOptionsUpdatedEventAttributes.AttachedRequestId);
                break;
            case HistoryEvent.AttributesOneofCase.UpsertWorkflowSearchAttributesEventAttributes:
                Merge(e.UpsertWorkflowSearchAttributesEventAttributes.SearchAttributes);
                break;
            case HistoryEvent.AttributesOneofCase.WorkflowPropertiesModifiedEventAttributes:
                Merge(e.WorkflowPropertiesModifiedEventAttributes.UpsertedMemo);
                break;
            default:
                FoldActivity(e);
                FoldTimer(e);
                FoldUpdate(e);
                FoldChild(e);
                FoldExternal(e, originalRunId);
                break;
        }
    }

    // The started event is written together with the closing one: an activity that history shows open has no attempt yet.
    private void FoldActivity(HistoryEvent e)
    {
        switch (e.AttributesCase)
        {
            case HistoryEvent.AttributesOneofCase.ActivityTaskScheduledEventAttributes:
                AddPendingActivity(e, NowStamp);
                break;
            case HistoryEvent.AttributesOneofCase.ActivityTaskCancelRequestedEventAttributes:
                if (State.Activities.TryGetValue(e.ActivityTaskCancelRequestedEventAttributes.ScheduledEventId, out var activity))
                {
                    activity.CancelRequestedEventId = e.EventId;
                }

                break;
            default:
                if (EndedActivity(e) is { } ended)
                {
                    State.Activities.Remove(ended);
                }

                break;
        }
    }

    private void FoldTimer(HistoryEvent e)
    {
        switch (e.AttributesCase)
        {
            case HistoryEvent.AttributesOneofCase.TimerStartedEventAttributes:
                AddPendingTimer(e);
                break;
            case HistoryEvent.AttributesOneofCase.TimerFiredEventAttributes:
                State.Timers.Remove(e.TimerFiredEventAttributes.TimerId);
                break;
            case HistoryEvent.AttributesOneofCase.TimerCanceledEventAttributes:
                State.Timers.Remove(e.TimerCanceledEventAttributes.TimerId);
                break;
        }
    }

    private void FoldUpdate(HistoryEvent e)
    {
        switch (e.AttributesCase)
        {
            case HistoryEvent.AttributesOneofCase.WorkflowExecutionUpdateAdmittedEventAttributes:
                var admitted = e.WorkflowExecutionUpdateAdmittedEventAttributes.Request.Meta.UpdateId;
                State.Updates[admitted] = new Update { UpdateId = admitted, AdmittedEventId = e.EventId };
                break;
            case HistoryEvent.AttributesOneofCase.WorkflowExecutionUpdateAcceptedEventAttributes:
                var accepted = e.WorkflowExecutionUpdateAcceptedEventAttributes.ProtocolInstanceId;
                State.Updates.TryAdd(accepted, new Update { UpdateId = accepted });
                State.Updates[accepted].AcceptedEventId = e.EventId;
                break;
            case HistoryEvent.AttributesOneofCase.WorkflowExecutionUpdateCompletedEventAttributes:
                var acceptedAt = e.WorkflowExecutionUpdateCompletedEventAttributes.AcceptedEventId;
                State.Updates.Values.Single(u => u.AcceptedEventId == acceptedAt).CompletedEventId = e.EventId;
                break;
        }
    }

    private void FoldChild(HistoryEvent e)
    {
        switch (e.AttributesCase)
        {
            case HistoryEvent.AttributesOneofCase.StartChildWorkflowExecutionInitiatedEventAttributes:
                AddPendingChild(e);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionStartedEventAttributes:
                var child = State.Children[e.ChildWorkflowExecutionStartedEventAttributes.InitiatedEventId];
                child.RunId = e.ChildWorkflowExecutionStartedEventAttributes.WorkflowExecution.RunId;
                child.StartedEventId = e.EventId;
                break;
            default:
                if (EndedChild(e) is { } ended)
                {
                    State.Children.Remove(ended);
                }

                break;
        }
    }

    private void FoldExternal(HistoryEvent e, string originalRunId)
    {
        switch (e.AttributesCase)
        {
            case HistoryEvent.AttributesOneofCase.SignalExternalWorkflowExecutionInitiatedEventAttributes:
                AddPendingSignal(e.EventId, originalRunId);
                break;
            case HistoryEvent.AttributesOneofCase.ExternalWorkflowExecutionSignaledEventAttributes:
                State.ExternalSignals.Remove(e.ExternalWorkflowExecutionSignaledEventAttributes.InitiatedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.SignalExternalWorkflowExecutionFailedEventAttributes:
                State.ExternalSignals.Remove(e.SignalExternalWorkflowExecutionFailedEventAttributes.InitiatedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.RequestCancelExternalWorkflowExecutionInitiatedEventAttributes:
                AddPendingCancel(e.EventId, originalRunId);
                break;
            case HistoryEvent.AttributesOneofCase.ExternalWorkflowExecutionCancelRequestedEventAttributes:
                State.ExternalCancels.Remove(e.ExternalWorkflowExecutionCancelRequestedEventAttributes.InitiatedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.RequestCancelExternalWorkflowExecutionFailedEventAttributes:
                State.ExternalCancels.Remove(e.RequestCancelExternalWorkflowExecutionFailedEventAttributes.InitiatedEventId);
                break;
        }
    }

    /// <summary>The event that scheduled the activity which this event ends; null where it ends none.</summary>
    private static long? EndedActivity(HistoryEvent e) =>
        e.ActivityTaskCompletedEventAttributes?.ScheduledEventId
        ?? e.ActivityTaskFailedEventAttributes?.ScheduledEventId
        ?? e.ActivityTaskTimedOutEventAttributes?.ScheduledEventId
        ?? e.ActivityTaskCanceledEventAttributes?.ScheduledEventId;

    /// <summary>The event that initiated the child which this event ends; null where it ends none.</summary>
    private static long? EndedChild(HistoryEvent e) =>
        e.StartChildWorkflowExecutionFailedEventAttributes?.InitiatedEventId
        ?? e.ChildWorkflowExecutionCompletedEventAttributes?.InitiatedEventId
        ?? e.ChildWorkflowExecutionFailedEventAttributes?.InitiatedEventId
        ?? e.ChildWorkflowExecutionCanceledEventAttributes?.InitiatedEventId
        ?? e.ChildWorkflowExecutionTimedOutEventAttributes?.InitiatedEventId
        ?? e.ChildWorkflowExecutionTerminatedEventAttributes?.InitiatedEventId;
}
