using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.TaskQueue.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

// Workflow tasks. Attempts after the first are transient: they enter history only when one of them completes, so a
// worker that fails the same task for hours leaves one failure behind and not thousands.
internal sealed partial class WorkflowRun
{
    public const int SuggestContinueAsNewEvents = 4 * 1024;
    public const long SuggestContinueAsNewBytes = 4L * 1024 * 1024;

    public bool IsWorkflowTaskStarted => State.Task is { StartedEventId: > 0 };

    /// <summary>Whether the current task is an attempt that history does not hold.</summary>
    public bool IsWorkflowTaskTransient => State.Task is { Attempt: > 1 };

    public void ScheduleWorkflowTask()
    {
        if (!IsRunning || State.Task is not null || State.FirstTaskAt is not null)
        {
            return;
        }

        State.TaskAttempt = Math.Max(1, State.TaskAttempt);
        var task = new WorkflowTask
        {
            Attempt = State.TaskAttempt,
            ScheduledEventId = State.NextEventId,
            ScheduledTime = NowStamp,
            OriginalScheduledTime = NowStamp,
            StickyQueue = State.Sticky?.Queue ?? "",
        };
        if (task.Attempt == 1)
        {
            AddWorkflowTaskScheduled(task);
        }

        State.Task = task;
        Touch();
        OfferWorkflowTask();
    }

    /// <summary>Moves the waiting task from a sticky queue that no worker polls to the normal one.</summary>
    public void LeaveStickyQueue()
    {
        State.Sticky = null;
        Touch();
        if (State.Task is { StartedEventId: 0 } task && task.StickyQueue.Length > 0)
        {
            task.StickyQueue = "";
            OfferWorkflowTask();
        }
    }

    private void OfferWorkflowTask()
    {
        if (WorkflowTaskOffer() is { } offer)
        {
            _tasks.Add(offer);
        }
    }

    private DispatchTask? WorkflowTaskOffer() => State.Task is { StartedEventId: 0 } task
        ? new DispatchTask(
            TaskKind.Workflow, Address, task.StickyQueue.Length > 0 ? task.StickyQueue : State.TaskQueue,
            task.ScheduledEventId, task.Attempt, task.StickyQueue.Length > 0)
        : null;

    /// <summary>Gives the task to a worker. Returns false if it is not waiting any more.</summary>
    public bool StartWorkflowTask(long scheduledEventId, int attempt, string requestId, string identity)
    {
        if (!IsRunning || State.Task is not { StartedEventId: 0 } task
            || task.ScheduledEventId != scheduledEventId || task.Attempt != attempt)
        {
            return false;
        }

        if (task.Attempt > 1 && task.ScheduledEventId != State.NextEventId)
        {
            // Events have arrived since, so the attempt is no longer a mere repetition and history shows it.
            task.Attempt = State.TaskAttempt = 1;
            task.ScheduledEventId = State.NextEventId;
            AddWorkflowTaskScheduled(task);
        }

        task.StartedTime = NowStamp;
        task.Identity = identity;
        task.RequestId = requestId;
        task.HistoryBytes = State.HistoryBytes;
        task.SuggestContinueAsNew = State.NextEventId > SuggestContinueAsNewEvents || State.HistoryBytes > SuggestContinueAsNewBytes;
        task.StartedEventId = task.Attempt == 1 ? AddWorkflowTaskStarted(task).EventId : task.ScheduledEventId + 1;
        Touch();
        return true;
    }

    /// <summary>The two events that a transient task would have in history; only the worker sees them.</summary>
    public IReadOnlyList<HistoryEvent> TransientEvents() => State.Task is { Attempt: > 1, StartedEventId: > 0 } task
        ?
        [
            new HistoryEvent
            {
                EventId = task.ScheduledEventId, EventTime = task.ScheduledTime, EventType = EventType.WorkflowTaskScheduled,
                WorkflowTaskScheduledEventAttributes = ScheduledAttributes(task),
            },
            new HistoryEvent
            {
                EventId = task.StartedEventId, EventTime = task.StartedTime, EventType = EventType.WorkflowTaskStarted,
                WorkflowTaskStartedEventAttributes = StartedAttributes(task),
            },
        ]
        : [];

    /// <exception cref="RpcError">NOT_FOUND if the task is not the started one.</exception>
    public WorkflowTask RequireStartedTask(TaskToken token)
    {
        EnsureRunning();
        return State.Task is { StartedEventId: > 0 } task && task.ScheduledEventId == token.ScheduledEventId
            && task.StartedEventId == token.StartedEventId && task.Attempt == token.Attempt
            ? task
            : throw RpcError.NotFound("Workflow task not found.");
    }

    public void FailWorkflowTask(WorkflowTaskFailedCause cause, Failure? failure, string identity)
    {
        var task = State.Task;
        if (task.Attempt == 1)
        {
            Add(new HistoryEvent
            {
                WorkflowTaskFailedEventAttributes = new()
                {
                    ScheduledEventId = task.ScheduledEventId,
                    StartedEventId = task.StartedEventId,
                    Cause = cause,
                    Failure = failure,
                    Identity = identity,
                },
            });
        }

        RetryWorkflowTask(task.Attempt + 1);
    }

    private void TimeOutWorkflowTask(TimeoutType type)
    {
        var task = State.Task;
        if (task.Attempt == 1)
        {
            Add(new HistoryEvent
            {
                WorkflowTaskTimedOutEventAttributes = new()
                {
                    ScheduledEventId = task.ScheduledEventId,
                    StartedEventId = task.StartedEventId,
                    TimeoutType = type,
                },
            });
        }

        // No worker took it from the sticky queue, which is not a failed attempt.
        RetryWorkflowTask(type == TimeoutType.ScheduleToStart ? task.Attempt : task.Attempt + 1);
    }

    private void RetryWorkflowTask(int attempt)
    {
        State.Task = null;
        State.Sticky = null;
        State.TaskAttempt = FlushBufferedEvents() ? 1 : attempt;
        Touch();
        ScheduleWorkflowTask();
    }

    private HistoryEvent AddWorkflowTaskScheduled(WorkflowTask task) =>
        Add(new HistoryEvent { EventTime = task.ScheduledTime, WorkflowTaskScheduledEventAttributes = ScheduledAttributes(task) });

    private HistoryEvent AddWorkflowTaskStarted(WorkflowTask task) =>
        Add(new HistoryEvent { EventTime = task.StartedTime, WorkflowTaskStartedEventAttributes = StartedAttributes(task) });

    private WorkflowTaskScheduledEventAttributes ScheduledAttributes(WorkflowTask task) => new()
    {
        TaskQueue = task.StickyQueue.Length > 0
            ? new TaskQueue { Name = task.StickyQueue, Kind = TaskQueueKind.Sticky, NormalName = State.TaskQueue }
            : new TaskQueue { Name = State.TaskQueue, Kind = TaskQueueKind.Normal },
        StartToCloseTimeout = State.TaskTimeout,
        Attempt = task.Attempt,
    };

    private static WorkflowTaskStartedEventAttributes StartedAttributes(WorkflowTask task) => new()
    {
        ScheduledEventId = task.ScheduledEventId,
        Identity = task.Identity,
        RequestId = task.RequestId,
        HistorySizeBytes = task.HistoryBytes,
        SuggestContinueAsNew = task.SuggestContinueAsNew,
    };

    private DateTime? WorkflowTaskDeadline() => State.Task switch
    {
        { StartedEventId: > 0 } task => State.TaskTimeout.After(task.StartedTime),
        { StickyQueue.Length: > 0 } task => State.Sticky?.ScheduleToStartTimeout.After(task.ScheduledTime),
        _ => null,
    };
}
