using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;

namespace TemporalServer.Engine;

// The ways in which a run ends, and the runs that follow it.
internal sealed partial class WorkflowRun
{
    public HistoryEvent? CloseEvent => IsRunning ? null : _history[^1];

    public void Terminate(string reason, Payloads? details, string identity)
    {
        EnsureRunning();
        AbandonWorkflowTask();
        Close(WorkflowExecutionStatus.Terminated, new HistoryEvent
        {
            WorkflowExecutionTerminatedEventAttributes = new() { Reason = reason, Details = details, Identity = identity },
        });
    }

    /// <summary>Marks the run for removal, and ends it first if it still runs.</summary>
    public void Delete(string identity)
    {
        if (IsRunning)
        {
            Terminate("Delete workflow execution", null, identity);
        }

        State.Deleted = true;
        Touch();
    }

    private void CompleteWorkflow(CompleteWorkflowExecutionCommandAttributes command, long completedEventId) =>
        Close(WorkflowExecutionStatus.Completed, new HistoryEvent
        {
            WorkflowExecutionCompletedEventAttributes = new() { Result = command.Result, WorkflowTaskCompletedEventId = completedEventId },
        });

    private void CancelWorkflow(CancelWorkflowExecutionCommandAttributes command, long completedEventId) =>
        Close(WorkflowExecutionStatus.Canceled, new HistoryEvent
        {
            WorkflowExecutionCanceledEventAttributes = new() { Details = command.Details, WorkflowTaskCompletedEventId = completedEventId },
        });

    private void FailWorkflow(FailWorkflowExecutionCommandAttributes command, long completedEventId)
    {
        (var next, var retryState) = Retry(command.Failure);
        Close(WorkflowExecutionStatus.Failed, new HistoryEvent
        {
            WorkflowExecutionFailedEventAttributes = new()
            {
                Failure = command.Failure,
                RetryState = retryState,
                WorkflowTaskCompletedEventId = completedEventId,
                NewExecutionRunId = next?.State.RunId ?? "",
            },
        }, next);
    }

    private void TimeOutWorkflow()
    {
        AbandonWorkflowTask();
        var failure = new Failure
        {
            Message = "workflow timeout",
            Source = "Server",
            TimeoutFailureInfo = new() { TimeoutType = TimeoutType.StartToClose },
        };
        var executionTimedOut = State.ExecutionDeadline?.ToDateTime() <= Now;
        (var next, var retryState) = executionTimedOut ? (null, RetryState.Timeout) : Retry(failure);
        Close(WorkflowExecutionStatus.TimedOut, new HistoryEvent
        {
            WorkflowExecutionTimedOutEventAttributes = new() { RetryState = retryState, NewExecutionRunId = next?.State.RunId ?? "" },
        }, next);
    }

    private void ContinueAsNew(ContinueAsNewWorkflowExecutionCommandAttributes command, long completedEventId)
    {
        var attributes = NextRunAttributes();
        attributes.WorkflowType = command.WorkflowType ?? attributes.WorkflowType;
        attributes.TaskQueue = command.TaskQueue?.Name.Length > 0
            ? new() { Name = command.TaskQueue.Name, Kind = TaskQueueKind.Normal }
            : attributes.TaskQueue;
        attributes.Input = command.Input;
        attributes.WorkflowRunTimeout = command.WorkflowRunTimeout.IsSet() ? command.WorkflowRunTimeout : attributes.WorkflowRunTimeout;
        attributes.WorkflowTaskTimeout = command.WorkflowTaskTimeout.IsSet() ? command.WorkflowTaskTimeout : attributes.WorkflowTaskTimeout;
        attributes.RetryPolicy = command.RetryPolicy ?? attributes.RetryPolicy;
        attributes.Header = command.Header;
        attributes.Memo = command.Memo ?? State.Memo;
        attributes.SearchAttributes = command.SearchAttributes ?? State.SearchAttributes;
        attributes.Initiator = ContinueAsNewInitiator.Workflow;
        attributes.FirstWorkflowTaskBackoff = command.BackoffStartInterval;
        attributes.LastCompletionResult = command.LastCompletionResult ?? Started.LastCompletionResult;
        attributes.ContinuedFailure = command.Failure;
        attributes.Attempt = 1;
        var next = StartNext(attributes);
        Close(WorkflowExecutionStatus.ContinuedAsNew, new HistoryEvent
        {
            WorkflowExecutionContinuedAsNewEventAttributes = new()
            {
                NewExecutionRunId = next.State.RunId,
                WorkflowType = attributes.WorkflowType,
                TaskQueue = attributes.TaskQueue,
                Input = command.Input,
                WorkflowRunTimeout = attributes.WorkflowRunTimeout,
                WorkflowTaskTimeout = attributes.WorkflowTaskTimeout,
                WorkflowTaskCompletedEventId = completedEventId,
                BackoffStartInterval = command.BackoffStartInterval,
                Initiator = ContinueAsNewInitiator.Workflow,
                LastCompletionResult = command.LastCompletionResult,
                Header = command.Header,
                Memo = command.Memo,
                SearchAttributes = command.SearchAttributes,
            },
        }, next);
    }

    private (WorkflowRun? Next, RetryState State) Retry(Failure? failure)
    {
        (var backoff, var retryState) = RetryPolicies.Next(
            State.RetryPolicy, State.Attempt, failure, Now, State.ExecutionDeadline?.ToDateTime());
        if (backoff is not { } wait)
        {
            return (null, retryState);
        }

        var attributes = NextRunAttributes();
        attributes.Initiator = ContinueAsNewInitiator.Retry;
        attributes.ContinuedFailure = failure;
        attributes.Attempt = State.Attempt + 1;
        attributes.FirstWorkflowTaskBackoff = Duration.FromTimeSpan(wait);
        return (StartNext(attributes), retryState);
    }

    private WorkflowExecutionStartedEventAttributes NextRunAttributes()
    {
        var attributes = Started.Clone();
        attributes.ContinuedExecutionRunId = State.RunId;
        attributes.FirstExecutionRunId = State.FirstRunId;
        attributes.WorkflowExecutionExpirationTime = State.ExecutionDeadline;
        attributes.FirstWorkflowTaskBackoff = null;
        attributes.ContinuedFailure = null;
        return attributes;
    }

    private WorkflowRun StartNext(WorkflowExecutionStartedEventAttributes attributes) =>
        Start(new RunStart(State.Namespace, Guid.NewGuid().ToString(), attributes.Clone(), "", State.UserMetadata), Now);

    // The worker's answer to the running task will come too late; events that it has not seen go into history before the end.
    private void AbandonWorkflowTask()
    {
        if (State.Task is { StartedEventId: > 0, Attempt: 1 } task)
        {
            Add(new HistoryEvent
            {
                WorkflowTaskFailedEventAttributes = new()
                {
                    ScheduledEventId = task.ScheduledEventId,
                    StartedEventId = task.StartedEventId,
                    Cause = WorkflowTaskFailedCause.ForceCloseCommand,
                },
            });
        }

        State.Task = null;
        FlushBufferedEvents();
    }

    private void Close(WorkflowExecutionStatus status, HistoryEvent closeEvent, WorkflowRun? next = null)
    {
        Add(closeEvent);
        State.Status = status;
        State.CloseTime = NowStamp;
        State.Task = null;
        State.Sticky = null;
        State.FirstTaskAt = null;
        State.Activities.Clear();
        State.Timers.Clear();
        State.BufferedEventBytes.Clear();
        State.ContinuedRunId = next?.State.RunId ?? "";
        State.ParentUnaware = State.Parent is not null && next is null;
        ForgetChildrenThatNeedNothing();
        _tasks.Clear();
        Continuation = next;
        VisibilityChanged = true;
    }
}
