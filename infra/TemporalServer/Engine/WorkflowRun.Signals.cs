using Temporalio.Api.Common.V1;
using Temporalio.Api.History.V1;

namespace TemporalServer.Engine;

// Signals and cancellation from outside.
internal sealed partial class WorkflowRun
{
    /// <summary>Adds a signal, once per non-empty request id.</summary>
    public void Signal(WorkflowExecutionSignaledEventAttributes signal)
    {
        EnsureRunning();
        if (State.SignalRequestIds.Contains(signal.RequestId))
        {
            return;
        }

        EnsureRoomForSignal();
        NoteSignal(signal.RequestId);
        AddFromOutside(new HistoryEvent { WorkflowExecutionSignaledEventAttributes = signal });
        ScheduleWorkflowTask();
    }

    private void NoteSignal(string requestId)
    {
        State.SignalCount++;
        if (requestId.Length > 0)
        {
            State.SignalRequestIds.Add(requestId);
        }
    }

    /// <summary>Asks the workflow to cancel itself. A second request changes nothing.</summary>
    public void RequestCancel(
        string cause, string identity, string requestId, WorkflowExecution? external = null, long externalInitiatedEventId = 0)
    {
        EnsureRunning();
        if (State.CancelRequested)
        {
            return;
        }

        State.CancelRequested = true;
        State.CancelRequestIds.Add(requestId);
        AddFromOutside(new HistoryEvent
        {
            WorkflowExecutionCancelRequestedEventAttributes = new()
            {
                Cause = cause,
                Identity = identity,
                ExternalWorkflowExecution = external,
                ExternalInitiatedEventId = externalInitiatedEventId,
            },
        });
        ScheduleWorkflowTask();
    }
}
