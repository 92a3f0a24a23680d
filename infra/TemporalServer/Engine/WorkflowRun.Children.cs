using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

// Child workflows, seen from the parent.
internal sealed partial class WorkflowRun
{
    private void StartChild(StartChildWorkflowExecutionCommandAttributes command, Command source, long completedEventId)
    {
        var queue = command.TaskQueue?.Name is { Length: > 0 } name ? name : State.TaskQueue;
        var e = Add(new HistoryEvent
        {
            UserMetadata = source.UserMetadata,
            StartChildWorkflowExecutionInitiatedEventAttributes = new()
            {
                Namespace = State.Namespace,
                WorkflowId = command.WorkflowId,
                WorkflowType = command.WorkflowType,
                TaskQueue = new() { Name = queue, Kind = TaskQueueKind.Normal },
                Input = command.Input,
                WorkflowExecutionTimeout = command.WorkflowExecutionTimeout ?? new Duration(),
                WorkflowRunTimeout = command.WorkflowRunTimeout ?? new Duration(),
                WorkflowTaskTimeout = command.WorkflowTaskTimeout ?? new Duration(),
                ParentClosePolicy = ClosePolicy(command),
                WorkflowTaskCompletedEventId = completedEventId,
                WorkflowIdReusePolicy = command.WorkflowIdReusePolicy,
                RetryPolicy = command.RetryPolicy,
                Header = command.Header,
                Memo = command.Memo,
                SearchAttributes = command.SearchAttributes,
                Priority = command.Priority,
            },
        });
        AddPendingChild(e);
    }

    private Child AddPendingChild(HistoryEvent initiated)
    {
        var attributes = initiated.StartChildWorkflowExecutionInitiatedEventAttributes;
        return State.Children[initiated.EventId] = new Child
        {
            InitiatedEventId = initiated.EventId,
            Namespace = State.Namespace,
            WorkflowId = attributes.WorkflowId,
            WorkflowType = attributes.WorkflowType.Name,
            ClosePolicy = attributes.ParentClosePolicy,
            NewRunId = Guid.NewGuid().ToString(),
            RequestId = $"{State.RunId}:{initiated.EventId}",
        };
    }

    private static ParentClosePolicy ClosePolicy(StartChildWorkflowExecutionCommandAttributes command) =>
        command.ParentClosePolicy == ParentClosePolicy.Unspecified ? ParentClosePolicy.Terminate : command.ParentClosePolicy;

    /// <summary>How the child begins.</summary>
    public RunStart ChildStart(Child child)
    {
        var initiated =
            _history[(int)child.InitiatedEventId - 1].StartChildWorkflowExecutionInitiatedEventAttributes.Clone();
        var initiatedEvent = _history[(int)child.InitiatedEventId - 1];
        return new RunStart(State.Namespace, child.NewRunId, new WorkflowExecutionStartedEventAttributes
        {
            WorkflowId = initiated.WorkflowId,
            WorkflowType = initiated.WorkflowType,
            ParentWorkflowNamespace = State.Namespace,
            ParentWorkflowExecution = Execution,
            ParentInitiatedEventId = child.InitiatedEventId,
            RootWorkflowExecution = State.Root?.Clone() ?? Execution,
            TaskQueue = initiated.TaskQueue,
            Input = initiated.Input,
            WorkflowExecutionTimeout = initiated.WorkflowExecutionTimeout,
            WorkflowRunTimeout = initiated.WorkflowRunTimeout,
            WorkflowTaskTimeout = initiated.WorkflowTaskTimeout,
            RetryPolicy = initiated.RetryPolicy,
            Header = initiated.Header,
            Memo = initiated.Memo,
            SearchAttributes = initiated.SearchAttributes,
            Priority = initiated.Priority,
        }, child.RequestId, initiatedEvent.UserMetadata?.Clone());
    }

    /// <summary>If a workflow with the child's id already runs: ends it if a run that this one was reset from started it.</summary>
    public WorkflowIdConflictPolicy ChildConflictPolicy(Child child) =>
        State.BaseChildIds.Contains(child.WorkflowId) ? WorkflowIdConflictPolicy.TerminateExisting : WorkflowIdConflictPolicy.Fail;

    public WorkflowIdReusePolicy ChildReusePolicy(Child child) =>
        _history[(int)child.InitiatedEventId - 1].StartChildWorkflowExecutionInitiatedEventAttributes.WorkflowIdReusePolicy;

    public void RecordChildStarted(long initiatedEventId, string runId)
    {
        if (!State.Children.TryGetValue(initiatedEventId, out var child) || child.RunId.Length > 0)
        {
            return;
        }

        child.RunId = runId;
        Touch();
        if (!IsRunning)
        {
            ForgetChildrenThatNeedNothing();
            return;
        }

        var initiated = _history[(int)initiatedEventId - 1].StartChildWorkflowExecutionInitiatedEventAttributes;
        var started = new HistoryEvent
        {
            ChildWorkflowExecutionStartedEventAttributes = new()
            {
                Namespace = State.Namespace,
                InitiatedEventId = initiatedEventId,
                WorkflowExecution = new() { WorkflowId = child.WorkflowId, RunId = runId },
                WorkflowType = new() { Name = child.WorkflowType },
                Header = initiated.Header,
            },
        };
        AddFromOutside(started);
        child.StartedEventId = started.EventId;
        ScheduleWorkflowTask();
    }

    public void RecordChildNotStarted(long initiatedEventId, StartChildWorkflowExecutionFailedCause cause)
    {
        if (!State.Children.TryGetValue(initiatedEventId, out var child))
        {
            return;
        }

        State.Children.Remove(initiatedEventId);
        Touch();
        if (!IsRunning)
        {
            return;
        }

        AddFromOutside(new HistoryEvent
        {
            StartChildWorkflowExecutionFailedEventAttributes = new()
            {
                Namespace = State.Namespace,
                WorkflowId = child.WorkflowId,
                WorkflowType = new() { Name = child.WorkflowType },
                Cause = cause,
                InitiatedEventId = initiatedEventId,
                WorkflowTaskCompletedEventId =
                    _history[(int)initiatedEventId - 1].StartChildWorkflowExecutionInitiatedEventAttributes.WorkflowTaskCompletedEventId,
            },
        });
        ScheduleWorkflowTask();
    }

    /// <summary>Records how a child ended. Does nothing if that is already known.</summary>
    public void RecordChildClosed(long initiatedEventId, WorkflowExecution execution, HistoryEvent closeEvent)
    {
        if (!State.Children.TryGetValue(initiatedEventId, out var child) || child.WorkflowId != execution.WorkflowId)
        {
            return;
        }

        RecordChildStarted(initiatedEventId, execution.RunId);
        State.Children.Remove(initiatedEventId);
        Touch();
        if (!IsRunning)
        {
            return;
        }

        AddFromOutside(ChildClosed(child, execution, closeEvent));
        ScheduleWorkflowTask();
    }

    private HistoryEvent ChildClosed(Child child, WorkflowExecution execution, HistoryEvent closeEvent)
    {
        var type = new WorkflowType { Name = child.WorkflowType };
        return closeEvent.AttributesCase switch
        {
            HistoryEvent.AttributesOneofCase.WorkflowExecutionCompletedEventAttributes => new HistoryEvent
            {
                ChildWorkflowExecutionCompletedEventAttributes = new()
                {
                    Namespace = State.Namespace,
                    WorkflowExecution = execution,
                    WorkflowType = type,
                    InitiatedEventId = child.InitiatedEventId,
                    StartedEventId = child.StartedEventId,
                    Result = closeEvent.WorkflowExecutionCompletedEventAttributes.Result,
                },
            },
            HistoryEvent.AttributesOneofCase.WorkflowExecutionFailedEventAttributes => new HistoryEvent
            {
                ChildWorkflowExecutionFailedEventAttributes = new()
                {
                    Namespace = State.Namespace,
                    WorkflowExecution = execution,
                    WorkflowType = type,
                    InitiatedEventId = child.InitiatedEventId,
                    StartedEventId = child.StartedEventId,
                    Failure = closeEvent.WorkflowExecutionFailedEventAttributes.Failure,
                    RetryState = closeEvent.WorkflowExecutionFailedEventAttributes.RetryState,
                },
            },
            HistoryEvent.AttributesOneofCase.WorkflowExecutionCanceledEventAttributes => new HistoryEvent
            {
                ChildWorkflowExecutionCanceledEventAttributes = new()
                {
                    Namespace = State.Namespace,
                    WorkflowExecution = execution,
                    WorkflowType = type,
                    InitiatedEventId = child.InitiatedEventId,
                    StartedEventId = child.StartedEventId,
                    Details = closeEvent.WorkflowExecutionCanceledEventAttributes.Details,
                },
            },
            HistoryEvent.AttributesOneofCase.WorkflowExecutionTimedOutEventAttributes => new HistoryEvent
            {
                ChildWorkflowExecutionTimedOutEventAttributes = new()
                {
                    Namespace = State.Namespace,
                    WorkflowExecution = execution,
                    WorkflowType = type,
                    InitiatedEventId = child.InitiatedEventId,
                    StartedEventId = child.StartedEventId,
                    RetryState = closeEvent.WorkflowExecutionTimedOutEventAttributes.RetryState,
                },
            },
            _ => new HistoryEvent
            {
                ChildWorkflowExecutionTerminatedEventAttributes = new()
                {
                    Namespace = State.Namespace,
                    WorkflowExecution = execution,
                    WorkflowType = type,
                    InitiatedEventId = child.InitiatedEventId,
                    StartedEventId = child.StartedEventId,
                },
            },
        };
    }

    // A closed parent still has to start the children it abandons and to end the ones it does not; the others are done.
    private void ForgetChildrenThatNeedNothing()
    {
        foreach (var child in State.Children.Values.ToArray())
        {
            var abandoned = child.ClosePolicy == ParentClosePolicy.Abandon;
            var started = child.RunId.Length > 0;
            if (abandoned == started)
            {
                State.Children.Remove(child.InitiatedEventId);
            }
        }
    }

    /// <summary>The close policy was applied to a child of this closed run.</summary>
    public void ForgetChild(long initiatedEventId)
    {
        State.Children.Remove(initiatedEventId);
        Touch();
    }

    public void RecordParentInformed()
    {
        State.ParentUnaware = false;
        Touch();
    }
}
