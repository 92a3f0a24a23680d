using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

// What clients see of a run without reading its history.
internal sealed partial class WorkflowRun
{
    public WorkflowExecutionInfo Info()
    {
        var info = new WorkflowExecutionInfo
        {
            Execution = Execution,
            Type = new() { Name = State.WorkflowType },
            StartTime = State.StartTime,
            CloseTime = State.CloseTime,
            ExecutionTime = State.ExecutionTime,
            Status = State.Status,
            HistoryLength = State.NextEventId - 1,
            HistorySizeBytes = State.HistoryBytes,
            StateTransitionCount = State.Transitions,
            Memo = State.Memo ?? new(),
            SearchAttributes = State.SearchAttributes ?? new(),
            TaskQueue = State.TaskQueue,
            FirstRunId = State.FirstRunId,
            RootExecution = State.Root,
            Priority = State.Priority,
        };
        if (State.Parent is { } parent)
        {
            info.ParentExecution = new() { WorkflowId = parent.WorkflowId, RunId = parent.RunId };
        }

        if (State.CloseTime is { } closed)
        {
            info.ExecutionDuration = closed - State.ExecutionTime;
        }

        return info;
    }

    public DescribeWorkflowExecutionResponse Describe()
    {
        var response = new DescribeWorkflowExecutionResponse
        {
            ExecutionConfig = new()
            {
                TaskQueue = new() { Name = State.TaskQueue, Kind = TaskQueueKind.Normal },
                WorkflowExecutionTimeout = State.ExecutionTimeout,
                WorkflowRunTimeout = State.RunTimeout,
                DefaultWorkflowTaskTimeout = State.TaskTimeout,
                UserMetadata = State.UserMetadata,
            },
            WorkflowExecutionInfo = Info(),
            WorkflowExtendedInfo = new()
            {
                ExecutionExpirationTime = State.ExecutionDeadline,
                RunExpirationTime = State.RunDeadline,
                CancelRequested = State.CancelRequested,
                OriginalStartTime = _history[0].EventTime,
                ResetRunId = State.ResetRunId,
            },
        };
        response.PendingActivities.Add(State.Activities.Values.Select(Describe));
        if (!IsRunning)
        {
            return response;
        }

        response.PendingChildren.Add(State.Children.Values.Select(c => new PendingChildExecutionInfo
        {
            WorkflowId = c.WorkflowId,
            RunId = c.RunId,
            WorkflowTypeName = c.WorkflowType,
            InitiatedId = c.InitiatedEventId,
            ParentClosePolicy = c.ClosePolicy,
        }));
        if (State.Task is { } task)
        {
            response.PendingWorkflowTask = new()
            {
                State = task.StartedEventId > 0 ? PendingWorkflowTaskState.Started : PendingWorkflowTaskState.Scheduled,
                ScheduledTime = task.ScheduledTime,
                OriginalScheduledTime = task.OriginalScheduledTime,
                StartedTime = task.StartedTime,
                Attempt = task.Attempt,
            };
        }

        return response;
    }

    private static PendingActivityInfo Describe(Activity activity) => new()
    {
        ActivityId = activity.ActivityId,
        ActivityType = new() { Name = activity.ActivityType },
        State = activity.CancelRequestedEventId > 0 ? PendingActivityState.CancelRequested
            : activity.Started ? PendingActivityState.Started : PendingActivityState.Scheduled,
        HeartbeatDetails = activity.HeartbeatDetails,
        LastHeartbeatTime = activity.HeartbeatTime,
        LastStartedTime = activity.StartedTime,
        Attempt = activity.Attempt,
        MaximumAttempts = activity.RetryPolicy?.MaximumAttempts ?? 0,
        ScheduledTime = activity.AttemptScheduledTime,
        NextAttemptScheduleTime = activity.BackingOff ? activity.AttemptScheduledTime : null,
        CurrentRetryInterval = activity.BackingOff ? activity.AttemptScheduledTime - activity.AttemptCompleteTime : null,
        ExpirationTime = activity.ScheduleToCloseTimeout.After(activity.ScheduledTime)?.ToTimestamp(),
        LastFailure = activity.LastFailure,
        LastWorkerIdentity = activity.Identity,
        LastAttemptCompleteTime = activity.AttemptCompleteTime,
        Priority = activity.Priority,
    };
}
