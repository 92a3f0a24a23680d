using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

// All due times are derived from the state, so no timer can be lost or outlive its purpose.
internal sealed partial class WorkflowRun
{
    /// <summary>When <see cref="FireDueTimers"/> will next have something to do, or null for never.</summary>
    public DateTime? NextWake()
    {
        if (!IsRunning)
        {
            return null;
        }

        var next = State.RunDeadline?.ToDateTime();
        next = Times.Earlier(next, State.FirstTaskAt?.ToDateTime());
        next = Times.Earlier(next, WorkflowTaskDeadline());
        foreach (var timer in State.Timers.Values)
        {
            next = Times.Earlier(next, timer.FireTime.ToDateTime());
        }

        foreach (var activity in State.Activities.Values)
        {
            next = Times.Earlier(next, NextOf(activity)?.At);
        }

        return next;
    }

    public void FireDueTimers()
    {
        if (!IsRunning)
        {
            return;
        }

        if (State.RunDeadline?.ToDateTime() <= Now)
        {
            TimeOutWorkflow();
            return;
        }

        if (State.FirstTaskAt?.ToDateTime() <= Now)
        {
            State.FirstTaskAt = null;
            Touch();
            ScheduleWorkflowTask();
        }

        if (WorkflowTaskDeadline() <= Now)
        {
            TimeOutWorkflowTask(IsWorkflowTaskStarted ? TimeoutType.StartToClose : TimeoutType.ScheduleToStart);
        }

        FireTimers();
        foreach (var activity in State.Activities.Values.ToArray())
        {
            FireActivity(activity);
        }
    }

    private void FireTimers()
    {
        UserTimer[] due = [.. State.Timers.Values.Where(t => t.FireTime.ToDateTime() <= Now)
            .OrderBy(t => t.FireTime.ToDateTime()).ThenBy(t => t.StartedEventId)];
        foreach (var timer in due)
        {
            State.Timers.Remove(timer.TimerId);
            AddFromOutside(
                new HistoryEvent { TimerFiredEventAttributes = new() { TimerId = timer.TimerId, StartedEventId = timer.StartedEventId } });
        }

        if (due.Length > 0)
        {
            ScheduleWorkflowTask();
        }
    }

    private void FireActivity(Activity activity)
    {
        if (NextOf(activity) is not { } next || next.At > Now)
        {
            return;
        }

        if (next.Timeout is { } type)
        {
            TimeOutActivity(activity, type);
            return;
        }

        activity.BackingOff = false;
        Touch();
        _tasks.Add(ActivityOffer(activity));
    }
}
