using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker.Execution;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>Child workflows.</content>
internal sealed partial class WorkflowInstance
{
    // By the ID of the event that initiated them.
    private readonly Dictionary<long, PendingChild> children = [];

    public async Task<ChildWorkflowHandle<TWorkflow, TResult>> StartChildWorkflowAsync<TWorkflow, TResult>(
        string type, IReadOnlyCollection<object?> arguments, ChildWorkflowOptions options)
    {
        var token = options.CancellationToken ?? CancellationToken;
        if (token.IsCancellationRequested)
        {
            throw new CanceledFailureException("Child cancelled before scheduled");
        }
        var child = new PendingChild(type, options.Id ?? Workflow.NewGuid().ToString(), options.CancellationType);
        child.Initiated = ledger.Add(new(
            StartCommand(child, arguments, options),
            EventType.StartChildWorkflowExecutionInitiated,
            $"child workflow {type}",
            evt => PendingCommand.Compare("workflow type", evt.StartChildWorkflowExecutionInitiatedEventAttributes.WorkflowType.Name, type)
                ?? PendingCommand.Compare("workflow ID", evt.StartChildWorkflowExecutionInitiatedEventAttributes.WorkflowId, child.Id),
            evt =>
            {
                child.InitiatedEventId = evt.EventId;
                children[evt.EventId] = child;
            }));
        // Lives as long as the child: its result may be awaited much later.
        child.OnCancel = token.Register(() => CancelChild(child));
        var runId = await child.Start.Task;
        return new StartedChild<TWorkflow, TResult>(this, child, runId);
    }

    private Command StartCommand(PendingChild child, IReadOnlyCollection<object?> arguments, ChildWorkflowOptions options)
    {
        var attributes = new StartChildWorkflowExecutionCommandAttributes
        {
            WorkflowId = child.Id,
            WorkflowType = new() { Name = child.Type },
            TaskQueue = new() { Name = options.TaskQueue ?? Info.TaskQueue },
            Input = converter.ToPayloads(arguments),
            WorkflowExecutionTimeout = options.ExecutionTimeout.ToProto(),
            WorkflowRunTimeout = options.RunTimeout.ToProto(),
            WorkflowTaskTimeout = options.TaskTimeout.ToProto(),
            ParentClosePolicy = (Api.Enums.V1.ParentClosePolicy)(int)options.ParentClosePolicy,
            WorkflowIdReusePolicy = options.IdReusePolicy,
            RetryPolicy = options.RetryPolicy?.ToProto(),
            CronSchedule = options.CronSchedule ?? "",
            SearchAttributes = options.TypedSearchAttributes?.ToProto(),
        };
        if (options.Memo is { } childMemo)
        {
            attributes.Memo = new();
            foreach (var (key, value) in childMemo)
            {
                attributes.Memo.Fields[key] = converter.ToPayload(value);
            }
        }
        return new()
        {
            CommandType = CommandType.StartChildWorkflowExecution,
            StartChildWorkflowExecutionCommandAttributes = attributes,
            UserMetadata = Summary(options.StaticSummary, options.StaticDetails),
        };
    }

    private void CancelChild(PendingChild child)
    {
        if (child.Result.Task.IsCompleted)
        {
            return;
        }
        if (ledger.Withdraw(child.Initiated!))
        {
            child.Fail(ChildFailed(child, "", Canceled("Child workflow cancelled before it started", null), RetryState.Unspecified));
            return;
        }
        if (child.CancellationType != ChildWorkflowCancellationType.Abandon)
        {
            // The outcome of the request matters to those only who wait for it.
            var requested = RequestCancelAsync(child.Id, null, childOnly: true, "child cancelled");
            if (child.CancellationType == ChildWorkflowCancellationType.WaitCancellationRequested)
            {
                _ = RunAsTask(async () =>
                {
                    await requested;
                    child.Fail(ChildFailed(child, child.RunId, Canceled("Child workflow cancelled", null), RetryState.Unspecified));
                });
            }
        }
        if (child.CancellationType is ChildWorkflowCancellationType.Abandon or ChildWorkflowCancellationType.TryCancel)
        {
            child.Fail(ChildFailed(child, child.RunId, Canceled("Child workflow cancelled", null), RetryState.Unspecified));
        }
    }

    private void ResolveChildStart(HistoryEvent evt)
    {
        if (evt.ChildWorkflowExecutionStartedEventAttributes is { } started)
        {
            if (children.TryGetValue(started.InitiatedEventId, out var child))
            {
                child.RunId = started.WorkflowExecution.RunId;
                child.Start.TrySetResult(child.RunId);
            }
            return;
        }
        var failed = evt.StartChildWorkflowExecutionFailedEventAttributes;
        if (children.Remove(failed.InitiatedEventId, out var notStarted))
        {
            notStarted.Fail(failed.Cause == StartChildWorkflowExecutionFailedCause.WorkflowAlreadyExists
                ? new WorkflowAlreadyStartedException("Child workflow already started", notStarted.Id, notStarted.Type, "")
                : new ApplicationFailureException($"Child workflow {notStarted.Id} could not start: {failed.Cause}", errorType: failed.Cause.ToString()));
        }
    }

    private void ResolveChild(HistoryEvent evt)
    {
        var (initiated, runId, cause, retryState) = evt switch
        {
            { ChildWorkflowExecutionCompletedEventAttributes: { } end } => (end.InitiatedEventId, "", null, RetryState.Unspecified),
            { ChildWorkflowExecutionFailedEventAttributes: { } end } => (end.InitiatedEventId, end.WorkflowExecution.RunId, end.Failure, end.RetryState),
            { ChildWorkflowExecutionCanceledEventAttributes: { } end } =>
                (end.InitiatedEventId, end.WorkflowExecution.RunId, Canceled("Child workflow cancelled", end.Details), RetryState.Unspecified),
            { ChildWorkflowExecutionTimedOutEventAttributes: { } end } => (end.InitiatedEventId, end.WorkflowExecution.RunId,
                new Failure { Message = "Child workflow timed out", TimeoutFailureInfo = new() { TimeoutType = TimeoutType.StartToClose } }, end.RetryState),
            _ => (evt.ChildWorkflowExecutionTerminatedEventAttributes.InitiatedEventId, evt.ChildWorkflowExecutionTerminatedEventAttributes.WorkflowExecution.RunId,
                new Failure { Message = "Child workflow terminated", TerminatedFailureInfo = new() }, RetryState.Unspecified),
        };
        if (!children.Remove(initiated, out var child))
        {
            throw new WorkflowNondeterminismException($"[TMPRL1100] Nondeterminism error: event {evt.EventId} ends a child that was not started", "");
        }
        child.OnCancel.Dispose();
        if (cause is null)
        {
            child.Result.TrySetResult(evt.ChildWorkflowExecutionCompletedEventAttributes.Result);
        }
        else
        {
            child.Fail(ChildFailed(child, runId, cause, retryState));
        }
    }

    private Exception ChildFailed(PendingChild child, string runId, Failure cause, RetryState retryState) => failureConverter.ToException(
        new Failure
        {
            Message = "Child Workflow execution failed",
            Cause = cause,
            ChildWorkflowExecutionFailureInfo = new()
            {
                Namespace = Info.Namespace,
                WorkflowExecution = new() { WorkflowId = child.Id, RunId = runId },
                WorkflowType = new() { Name = child.Type },
                InitiatedEventId = child.InitiatedEventId,
                RetryState = retryState,
            },
        },
        converter);

    private sealed class PendingChild(string type, string id, ChildWorkflowCancellationType cancellationType)
    {
        public string Type => type;

        public string Id => id;

        public ChildWorkflowCancellationType CancellationType => cancellationType;

        public PendingCommand? Initiated { get; set; }

        public long InitiatedEventId { get; set; }

        public string RunId { get; set; } = "";

        public CancellationTokenRegistration OnCancel { get; set; }

        public TaskCompletionSource<string> Start { get; } = new();

        public TaskCompletionSource<Payloads?> Result { get; } = new();

        public void Fail(Exception exception)
        {
            OnCancel.Dispose();
            Start.TrySetException(exception);
            Result.TrySetException(exception);
        }
    }

    private sealed class StartedChild<TWorkflow, TResult>(WorkflowInstance parent, PendingChild child, string runId) : ChildWorkflowHandle<TWorkflow, TResult>
    {
        public override string Id => child.Id;

        public override string FirstExecutionRunId => runId;

        public override async Task<TChildResult> GetResultAsync<TChildResult>()
        {
            var result = await child.Result.Task;
            return typeof(TChildResult) == typeof(ValueTuple) || result is null || result.Payloads_.Count == 0
                ? default!
                : parent.converter.ToValue<TChildResult>(result.Payloads_[0]);
        }

        public override Task SignalAsync(string signal, IReadOnlyCollection<object?> args, ChildWorkflowSignalOptions? options = null) =>
            parent.SignalExternalAsync(child.Id, null, childOnly: true, signal, args, options?.CancellationToken ?? parent.CancellationToken);
    }
}
