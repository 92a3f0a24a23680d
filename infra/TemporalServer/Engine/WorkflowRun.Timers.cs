using Temporalio.Api.Command.V1;
using Temporalio.Api.History.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

internal sealed partial class WorkflowRun
{
    private void StartTimer(StartTimerCommandAttributes command, Command source, long completedEventId)
    {
        var e = Add(new HistoryEvent
        {
            UserMetadata = source.UserMetadata,
            TimerStartedEventAttributes = new()
            {
                TimerId = command.TimerId,
                StartToFireTimeout = command.StartToFireTimeout,
                WorkflowTaskCompletedEventId = completedEventId,
            },
        });
        AddPendingTimer(e);
    }

    private void AddPendingTimer(HistoryEvent started)
    {
        var attributes = started.TimerStartedEventAttributes;
        State.Timers[attributes.TimerId] = new UserTimer
        {
            TimerId = attributes.TimerId,
            StartedEventId = started.EventId,
            FireTime = (started.EventTime.ToDateTime() + attributes.StartToFireTimeout.OrZero()).ToTimestamp(),
        };
    }

    private void CancelTimer(CancelTimerCommandAttributes command, long completedEventId, string identity)
    {
        long started;
        if (State.Timers.TryGetValue(command.TimerId, out var timer))
        {
            State.Timers.Remove(command.TimerId);
            started = timer.StartedEventId;
        }
        else
        {
            // It fired while the worker was deciding to cancel it; the worker has not seen that and never will.
            var fired = State.TakeBuffered(e => e.TimerFiredEventAttributes?.TimerId == command.TimerId);
            started = fired.TimerFiredEventAttributes.StartedEventId;
        }

        Add(new HistoryEvent
        {
            TimerCanceledEventAttributes = new()
            {
                TimerId = command.TimerId,
                StartedEventId = started,
                WorkflowTaskCompletedEventId = completedEventId,
                Identity = identity,
            },
        });
    }

    private bool HasTimer(string timerId) =>
        State.Timers.ContainsKey(timerId) || State.BufferedEvents.Any(e => e.TimerFiredEventAttributes?.TimerId == timerId);
}
