using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using TemporalServer.Engine.State;
using Enum = System.Enum;

namespace TemporalServer.Engine;

/// <summary>
/// One run of a workflow: its state and its history. Every method is one step of a transition and does no I/O: it changes
/// the state and leaves behind what has to be stored and announced (<see cref="NewEvents"/>, <see cref="Tasks"/>,
/// <see cref="Continuation"/>). If a transition cannot be stored, discarding the whole object undoes it.
/// </summary>
internal sealed partial class WorkflowRun
{
    /// <summary>The server's identity in events that name who did something.</summary>
    public const string ServerIdentity = "history-service";

    private static readonly Dictionary<HistoryEvent.AttributesOneofCase, EventType> EventTypes =
        Enum.GetValues<HistoryEvent.AttributesOneofCase>()
            .Where(c => c != HistoryEvent.AttributesOneofCase.None)
            .ToDictionary(c => c, c => Enum.Parse<EventType>(c.ToString().Replace("EventAttributes", "", StringComparison.Ordinal)));

    private readonly List<HistoryEvent> _history;
    private readonly List<DispatchTask> _tasks = [];
    private int _stored;
    private bool _touched;

    /// <param name="state">As stored; the run owns it from now on.</param>
    /// <param name="history">All stored events, in order.</param>
    /// <param name="version">Number of stored transitions; 0 for a run that is not stored yet.</param>
    public WorkflowRun(ExecutionState state, List<HistoryEvent> history, long version)
    {
        State = state;
        _history = history;
        _stored = history.Count;
        Version = version;
    }

    public ExecutionState State { get; }

    public IReadOnlyList<HistoryEvent> History => _history;

    public long Version { get; private set; }

    public RunAddress Address => new(State.Namespace, State.WorkflowId, State.RunId);

    public bool IsRunning => State.Status == WorkflowExecutionStatus.Running;

    public WorkflowExecution Execution => new() { WorkflowId = State.WorkflowId, RunId = State.RunId };

    public WorkflowExecutionStartedEventAttributes Started => _history[0].WorkflowExecutionStartedEventAttributes;

    /// <summary>Events of this transition, stored as one batch.</summary>
    public IReadOnlyList<HistoryEvent> NewEvents => _stored == _history.Count ? [] : _history.GetRange(_stored, _history.Count - _stored);

    /// <summary>Tasks that this transition offers to workers.</summary>
    public IReadOnlyList<DispatchTask> Tasks => _tasks;

    /// <summary>The run that this transition starts under the same workflow id; stored together with this one.</summary>
    public WorkflowRun? Continuation { get; private set; }

    /// <summary>Whether the transition changed what list and count see.</summary>
    public bool VisibilityChanged { get; private set; }

    public bool HasChanges => _touched || _stored != _history.Count;

    /// <summary>The time of the transition, the only clock reading that it uses.</summary>
    public DateTime Now { get; private set; }

    public ServerLimits Limits { get; private set; } = new();

    public void Begin(DateTime now, ServerLimits? limits = null)
    {
        Now = now;
        Limits = limits ?? Limits;
    }

    /// <summary>Clears what the transition left behind, after it was stored.</summary>
    public void Commit()
    {
        _stored = _history.Count;
        _tasks.Clear();
        _updateProgress.Clear();
        _touched = false;
        VisibilityChanged = false;
        Continuation = null;
        Version++;
    }

    private Timestamp NowStamp => Now.ToTimestamp();

    /// <summary>State changed without an event.</summary>
    private void Touch() => _touched = true;

    /// <summary>Appends an event to history now.</summary>
    private HistoryEvent Add(HistoryEvent e)
    {
        e.EventId = State.NextEventId++;
        e.EventTime ??= NowStamp;
        e.EventType = EventTypes[e.AttributesCase];
        e.TaskId = e.EventId;
        _history.Add(e);
        State.HistoryBytes += e.CalculateSize();
        return e;
    }

    /// <summary>
    /// Appends an event that comes from outside the workflow. While a worker has the workflow task the event waits, since
    /// the commands of that task must directly follow it in history.
    /// </summary>
    private void AddFromOutside(HistoryEvent e)
    {
        if (IsWorkflowTaskStarted)
        {
            e.EventTime ??= NowStamp;
            e.EventType = EventTypes[e.AttributesCase];
            State.Buffer(e);
            Touch();
            return;
        }

        Add(e);
    }

    private bool FlushBufferedEvents()
    {
        if (State.BufferedEventBytes.Count == 0)
        {
            return false;
        }

        var startedEventIds = new Dictionary<long, long>();
        foreach (var e in State.BufferedEvents)
        {
            PointAtStartedEvent(e, startedEventIds);
            Add(e);
            if (e.AttributesCase is HistoryEvent.AttributesOneofCase.ActivityTaskStartedEventAttributes)
            {
                startedEventIds[e.ActivityTaskStartedEventAttributes.ScheduledEventId] = e.EventId;
            }
            else if (e.AttributesCase is HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionStartedEventAttributes)
            {
                var initiated = e.ChildWorkflowExecutionStartedEventAttributes.InitiatedEventId;
                startedEventIds[initiated] = e.EventId;
                if (State.Children.TryGetValue(initiated, out var child))
                {
                    child.StartedEventId = e.EventId;
                }
            }
        }

        State.BufferedEventBytes.Clear();
        return true;
    }

    // A closing event that was buffered together with its started event could not know that event's id.
    private static void PointAtStartedEvent(HistoryEvent e, Dictionary<long, long> startedEventIds)
    {
        long Started(long key, long known) => known != 0 ? known : startedEventIds.GetValueOrDefault(key);

        switch (e.AttributesCase)
        {
            case HistoryEvent.AttributesOneofCase.ActivityTaskCompletedEventAttributes:
                var completed = e.ActivityTaskCompletedEventAttributes;
                completed.StartedEventId = Started(completed.ScheduledEventId, completed.StartedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.ActivityTaskFailedEventAttributes:
                var failed = e.ActivityTaskFailedEventAttributes;
                failed.StartedEventId = Started(failed.ScheduledEventId, failed.StartedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.ActivityTaskTimedOutEventAttributes:
                var timedOut = e.ActivityTaskTimedOutEventAttributes;
                timedOut.StartedEventId = Started(timedOut.ScheduledEventId, timedOut.StartedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.ActivityTaskCanceledEventAttributes:
                var canceled = e.ActivityTaskCanceledEventAttributes;
                canceled.StartedEventId = Started(canceled.ScheduledEventId, canceled.StartedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionCompletedEventAttributes:
                var childCompleted = e.ChildWorkflowExecutionCompletedEventAttributes;
                childCompleted.StartedEventId = Started(childCompleted.InitiatedEventId, childCompleted.StartedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionFailedEventAttributes:
                var childFailed = e.ChildWorkflowExecutionFailedEventAttributes;
                childFailed.StartedEventId = Started(childFailed.InitiatedEventId, childFailed.StartedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionCanceledEventAttributes:
                var childCanceled = e.ChildWorkflowExecutionCanceledEventAttributes;
                childCanceled.StartedEventId = Started(childCanceled.InitiatedEventId, childCanceled.StartedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionTimedOutEventAttributes:
                var childTimedOut = e.ChildWorkflowExecutionTimedOutEventAttributes;
                childTimedOut.StartedEventId = Started(childTimedOut.InitiatedEventId, childTimedOut.StartedEventId);
                break;
            case HistoryEvent.AttributesOneofCase.ChildWorkflowExecutionTerminatedEventAttributes:
                var childTerminated = e.ChildWorkflowExecutionTerminatedEventAttributes;
                childTerminated.StartedEventId = Started(childTerminated.InitiatedEventId, childTerminated.StartedEventId);
                break;
        }
    }

    private void EnsureRunning()
    {
        if (!IsRunning)
        {
            throw RpcError.NotFound("workflow execution already completed");
        }
    }
}
