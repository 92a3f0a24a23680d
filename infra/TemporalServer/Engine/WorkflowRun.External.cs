using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

// Signals and cancel requests that this workflow sends to others.
internal sealed partial class WorkflowRun
{
    private void SignalExternal(SignalExternalWorkflowExecutionCommandAttributes command, long completedEventId)
    {
        var e = Add(new HistoryEvent
        {
            SignalExternalWorkflowExecutionInitiatedEventAttributes = new()
            {
                WorkflowTaskCompletedEventId = completedEventId,
                Namespace = State.Namespace,
                WorkflowExecution = command.Execution,
                SignalName = command.SignalName,
                Input = command.Input,
                Control = command.Control,
                ChildWorkflowOnly = command.ChildWorkflowOnly,
                Header = command.Header,
            },
        });
        AddPendingSignal(e.EventId, State.RunId);
    }

    private void CancelExternal(RequestCancelExternalWorkflowExecutionCommandAttributes command, long completedEventId)
    {
        var e = Add(new HistoryEvent
        {
            RequestCancelExternalWorkflowExecutionInitiatedEventAttributes = new()
            {
                WorkflowTaskCompletedEventId = completedEventId,
                Namespace = State.Namespace,
                WorkflowExecution = new() { WorkflowId = command.WorkflowId, RunId = command.RunId },
                Control = command.Control,
                ChildWorkflowOnly = command.ChildWorkflowOnly,
                Reason = command.Reason,
            },
        });
        AddPendingCancel(e.EventId, State.RunId);
    }

    // The receiver identifies a request by the run that first made it, even if a run created by a reset repeats it.
    private void AddPendingSignal(long initiatedEventId, string runId) =>
        State.ExternalSignals[initiatedEventId] = new ExternalSignal
        {
            InitiatedEventId = initiatedEventId,
            RequestId = $"{runId}:{initiatedEventId}"
        };

    private void AddPendingCancel(long initiatedEventId, string runId) =>
        State.ExternalCancels[initiatedEventId] = new ExternalCancel
        {
            InitiatedEventId = initiatedEventId,
            RequestId = $"{runId}:{initiatedEventId}"
        };

    public void RecordSignalSent(long initiatedEventId, bool found)
    {
        if (!Settle(State.ExternalSignals, initiatedEventId))
        {
            return;
        }

        var initiated = _history[(int)initiatedEventId - 1].SignalExternalWorkflowExecutionInitiatedEventAttributes;
        AddFromOutside(found
            ? new HistoryEvent
            {
                ExternalWorkflowExecutionSignaledEventAttributes = new()
                {
                    InitiatedEventId = initiatedEventId,
                    Namespace = State.Namespace,
                    WorkflowExecution = initiated.WorkflowExecution,
                    Control = initiated.Control,
                },
            }
            : new HistoryEvent
            {
                SignalExternalWorkflowExecutionFailedEventAttributes = new()
                {
                    Cause = SignalExternalWorkflowExecutionFailedCause.ExternalWorkflowExecutionNotFound,
                    WorkflowTaskCompletedEventId = initiated.WorkflowTaskCompletedEventId,
                    Namespace = State.Namespace,
                    WorkflowExecution = initiated.WorkflowExecution,
                    InitiatedEventId = initiatedEventId,
                    Control = initiated.Control,
                },
            });
        ScheduleWorkflowTask();
    }

    public void RecordCancelSent(long initiatedEventId, bool found)
    {
        if (!Settle(State.ExternalCancels, initiatedEventId))
        {
            return;
        }

        var initiated = _history[(int)initiatedEventId - 1].RequestCancelExternalWorkflowExecutionInitiatedEventAttributes;
        AddFromOutside(found
            ? new HistoryEvent
            {
                ExternalWorkflowExecutionCancelRequestedEventAttributes = new()
                {
                    InitiatedEventId = initiatedEventId,
                    Namespace = State.Namespace,
                    WorkflowExecution = initiated.WorkflowExecution,
                },
            }
            : new HistoryEvent
            {
                RequestCancelExternalWorkflowExecutionFailedEventAttributes = new()
                {
                    Cause = CancelExternalWorkflowExecutionFailedCause.ExternalWorkflowExecutionNotFound,
                    WorkflowTaskCompletedEventId = initiated.WorkflowTaskCompletedEventId,
                    Namespace = State.Namespace,
                    WorkflowExecution = initiated.WorkflowExecution,
                    InitiatedEventId = initiatedEventId,
                    Control = initiated.Control,
                },
            });
        ScheduleWorkflowTask();
    }

    /// <summary>Takes an answered request off the list.</summary>
    /// <returns>Whether the answer still matters: the request was open and the run is not closed.</returns>
    private bool Settle<T>(IDictionary<long, T> open, long initiatedEventId)
    {
        if (!open.Remove(initiatedEventId))
        {
            return false;
        }

        Touch();
        return IsRunning;
    }
}
