using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Sdk.V1;
using Temporalio.Api.Workflow.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

/// <summary>What a new run begins with; the attributes hold everything that history will record.</summary>
internal sealed record RunStart(
    string Namespace, string RunId, WorkflowExecutionStartedEventAttributes Attributes, string RequestId,
    UserMetadata? UserMetadata = null);

internal sealed partial class WorkflowRun
{
    private static readonly TimeSpan DefaultTaskTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaximumTaskTimeout = TimeSpan.FromSeconds(120);

    /// <summary>Begins a run: its first event, its deadlines and, unless it is to wait, its first workflow task.</summary>
    public static WorkflowRun Start(RunStart start, DateTime now)
    {
        var attributes = start.Attributes;
        Fill(attributes, start, now);
        var delay = attributes.FirstWorkflowTaskBackoff.OrZero();
        var state = NewState(start, now, now + delay);
        state.FirstTaskAt = delay > TimeSpan.Zero ? state.ExecutionTime : null;
        var run = new WorkflowRun(state, [], 0) { VisibilityChanged = true };
        run.Begin(now);
        run.Add(new HistoryEvent { WorkflowExecutionStartedEventAttributes = attributes, UserMetadata = start.UserMetadata });
        run.ScheduleWorkflowTask();
        return run;
    }

    /// <summary>Records on this run what another start asked for that got this run instead of a new one.</summary>
    public void AttachRequest(string requestId, OnConflictOptions options)
    {
        if (!options.AttachRequestId || State.StartRequestIds.Contains(requestId))
        {
            return;
        }

        State.StartRequestIds.Add(requestId);
        AddFromOutside(new HistoryEvent { WorkflowExecutionOptionsUpdatedEventAttributes = new() { AttachedRequestId = requestId } });
    }

    private static ExecutionState NewState(RunStart start, DateTime now, DateTime executionTime)
    {
        var attributes = start.Attributes;
        var state = new ExecutionState
        {
            Namespace = start.Namespace,
            WorkflowId = attributes.WorkflowId,
            RunId = start.RunId,
            FirstRunId = attributes.FirstExecutionRunId,
            WorkflowType = attributes.WorkflowType.Name,
            TaskQueue = attributes.TaskQueue.Name,
            Status = WorkflowExecutionStatus.Running,
            StartTime = now.ToTimestamp(),
            ExecutionTime = executionTime.ToTimestamp(),
            NextEventId = 1,
            ExecutionTimeout = attributes.WorkflowExecutionTimeout,
            RunTimeout = attributes.WorkflowRunTimeout,
            TaskTimeout = attributes.WorkflowTaskTimeout,
            ExecutionDeadline = attributes.WorkflowExecutionExpirationTime,
            RetryPolicy = attributes.RetryPolicy?.Clone(),
            Attempt = attributes.Attempt,
            Root = attributes.RootWorkflowExecution?.Clone(),
            TaskAttempt = 1,
            Memo = attributes.Memo?.Clone(),
            SearchAttributes = attributes.SearchAttributes?.Clone(),
            UserMetadata = start.UserMetadata,
            Priority = attributes.Priority,
        };
        state.RunDeadline = Times.Earlier(attributes.WorkflowRunTimeout.After(state.ExecutionTime), state.ExecutionDeadline?.ToDateTime())
            ?.ToTimestamp();
        if (start.RequestId.Length > 0)
        {
            state.StartRequestIds.Add(start.RequestId);
        }

        if (attributes.ParentWorkflowExecution is { } parent)
        {
            state.Parent = new Parent
            {
                Namespace = attributes.ParentWorkflowNamespace,
                WorkflowId = parent.WorkflowId,
                RunId = parent.RunId,
                InitiatedEventId = attributes.ParentInitiatedEventId,
            };
        }

        return state;
    }

    private static void Fill(WorkflowExecutionStartedEventAttributes attributes, RunStart start, DateTime now)
    {
        attributes.OriginalExecutionRunId = start.RunId;
        if (attributes.FirstExecutionRunId.Length == 0)
        {
            attributes.FirstExecutionRunId = start.RunId;
        }

        attributes.Attempt = Math.Max(1, attributes.Attempt);
        attributes.WorkflowTaskTimeout = Times.Shorter(
            attributes.WorkflowTaskTimeout.IsSet() ? attributes.WorkflowTaskTimeout : Duration.FromTimeSpan(DefaultTaskTimeout),
            Duration.FromTimeSpan(MaximumTaskTimeout));
        attributes.WorkflowExecutionTimeout ??= new Duration();
        attributes.WorkflowRunTimeout = Times.Shorter(attributes.WorkflowRunTimeout, attributes.WorkflowExecutionTimeout) ?? new Duration();
        attributes.WorkflowExecutionExpirationTime ??=
            attributes.WorkflowExecutionTimeout.After((now + attributes.FirstWorkflowTaskBackoff.OrZero()).ToTimestamp())?.ToTimestamp();
        attributes.RetryPolicy = attributes.RetryPolicy is null ? null : RetryPolicies.WithDefaults(attributes.RetryPolicy);
        attributes.RootWorkflowExecution ??= new() { WorkflowId = attributes.WorkflowId, RunId = start.RunId };
    }
}
