using Grpc.Core;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine;
using TemporalServer.Engine.State;
using TemporalServer.Queues;
using TemporalServer.Runtime;
using TemporalServer.Serving;

namespace TemporalServer.Rpc;

/// <summary>Activity tasks: workers take them, heartbeat and end them, by task token or by activity id.</summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<ActivityTaskRpcs>), "Bind")]
internal class ActivityTaskRpcs(Executions executions, TaskQueues queues, LongPolls polls)
{
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(60);

    public virtual async Task<PollActivityTaskQueueResponse> PollActivityTaskQueue(
        PollActivityTaskQueueRequest request, ServerCallContext call)
    {
        if (request.TaskQueue is not { Name.Length: > 0 })
        {
            throw RpcError.InvalidArgument("TaskQueue is not set on request.");
        }

        VersioningRpcs.EnsureUnversioned(request.WorkerVersionCapabilities, request.DeploymentOptions);
        var queue = queues[new QueueKey(request.Namespace, request.TaskQueue.Name, Activities: true)];
        using var poll = polls.Begin(call, LongestPoll);
        var poller = new Poller(request.Identity, request.WorkerInstanceKey);
        while (await queue.PollAsync(poller, poll.Over) is { } offer)
        {
            if (poll.IsAbandoned)
            {
                queue.Add(offer);
                break;
            }

            if (offer is Offer.Work work && await StartAsync(work.Task, request.Identity) is { } response)
            {
                return response;
            }
        }

        return new();
    }

    public virtual async Task<RecordActivityTaskHeartbeatResponse> RecordActivityTaskHeartbeat(
        RecordActivityTaskHeartbeatRequest request, ServerCallContext call)
    {
        var token = Tokens.Read(request.TaskToken, TaskKind.Activity);
        var cancelled = await executions.UpdateAsync(
            token.Run(), run => run.Heartbeat(run.RequireStartedActivity(token), request.Details, request.Identity));
        return new() { CancelRequested = cancelled };
    }

    public virtual async Task<RecordActivityTaskHeartbeatByIdResponse> RecordActivityTaskHeartbeatById(
        RecordActivityTaskHeartbeatByIdRequest request, ServerCallContext call)
    {
        var cancelled = await executions.UpdateAsync(
            Address(request.Namespace, request.WorkflowId, request.RunId),
            run => run.Heartbeat(run.RequireActivity(request.ActivityId), request.Details, request.Identity));
        return new() { CancelRequested = cancelled };
    }

    public virtual async Task<RespondActivityTaskCompletedResponse> RespondActivityTaskCompleted(
        RespondActivityTaskCompletedRequest request, ServerCallContext call)
    {
        var token = Tokens.Read(request.TaskToken, TaskKind.Activity);
        await executions.UpdateAsync(token.Run(), run =>
            run.CompleteActivity(run.RequireStartedActivity(token), request.Result, request.Identity));
        return new();
    }

    public virtual async Task<RespondActivityTaskCompletedByIdResponse> RespondActivityTaskCompletedById(
        RespondActivityTaskCompletedByIdRequest request, ServerCallContext call)
    {
        await executions.UpdateAsync(
            Address(request.Namespace, request.WorkflowId, request.RunId),
            run => run.CompleteActivity(run.RequireActivity(request.ActivityId), request.Result, request.Identity));
        return new();
    }

    public virtual async Task<RespondActivityTaskFailedResponse> RespondActivityTaskFailed(
        RespondActivityTaskFailedRequest request, ServerCallContext call)
    {
        var token = Tokens.Read(request.TaskToken, TaskKind.Activity);
        await executions.UpdateAsync(token.Run(), run => run.FailActivity(
            run.RequireStartedActivity(token), request.Failure ?? new Failure(), request.LastHeartbeatDetails, request.Identity));
        return new();
    }

    public virtual async Task<RespondActivityTaskFailedByIdResponse> RespondActivityTaskFailedById(
        RespondActivityTaskFailedByIdRequest request, ServerCallContext call)
    {
        await executions.UpdateAsync(
            Address(request.Namespace, request.WorkflowId, request.RunId),
            run => run.FailActivity(
                run.RequireActivity(request.ActivityId), request.Failure ?? new Failure(), request.LastHeartbeatDetails, request.Identity));
        return new();
    }

    public virtual async Task<RespondActivityTaskCanceledResponse> RespondActivityTaskCanceled(
        RespondActivityTaskCanceledRequest request, ServerCallContext call)
    {
        var token = Tokens.Read(request.TaskToken, TaskKind.Activity);
        await executions.UpdateAsync(token.Run(), run =>
            run.CancelActivity(run.RequireStartedActivity(token), request.Details, request.Identity));
        return new();
    }

    public virtual async Task<RespondActivityTaskCanceledByIdResponse> RespondActivityTaskCanceledById(
        RespondActivityTaskCanceledByIdRequest request, ServerCallContext call)
    {
        await executions.UpdateAsync(
            Address(request.Namespace, request.WorkflowId, request.RunId),
            run => run.CancelActivity(run.RequireActivity(request.ActivityId), request.Details, request.Identity));
        return new();
    }

    /// <summary>A started attempt as a worker sees it.</summary>
    public static PollActivityTaskQueueResponse Response(WorkflowRun run, Activity activity)
    {
        var scheduled =
            run.History[(int)activity.ScheduledEventId - 1].ActivityTaskScheduledEventAttributes;
        return new PollActivityTaskQueueResponse
        {
            TaskToken = Tokens.Write(new TaskToken
            {
                Kind = TaskKind.Activity,
                Namespace = run.State.Namespace,
                WorkflowId = run.State.WorkflowId,
                RunId = run.State.RunId,
                ScheduledEventId = activity.ScheduledEventId,
                Attempt = activity.Attempt,
            }),
            WorkflowNamespace = run.State.Namespace,
            WorkflowType = new() { Name = run.State.WorkflowType },
            WorkflowExecution = run.Execution,
            ActivityType = scheduled.ActivityType,
            ActivityId = activity.ActivityId,
            Header = scheduled.Header,
            Input = scheduled.Input,
            HeartbeatDetails = activity.HeartbeatDetails,
            ScheduledTime = activity.ScheduledTime,
            CurrentAttemptScheduledTime = activity.AttemptScheduledTime,
            StartedTime = activity.StartedTime,
            Attempt = activity.Attempt,
            ScheduleToCloseTimeout = activity.ScheduleToCloseTimeout,
            StartToCloseTimeout = activity.StartToCloseTimeout,
            HeartbeatTimeout = activity.HeartbeatTimeout,
            RetryPolicy = activity.RetryPolicy,
            Priority = activity.Priority,
        };
    }

    private async Task<PollActivityTaskQueueResponse?> StartAsync(DispatchTask task, string identity)
    {
        try
        {
            return await executions.UpdateAsync(task.Run, run =>
                run.StartActivity(task.ScheduledEventId, task.Attempt, Guid.NewGuid().ToString(), identity) is { } activity
                    ? Response(run, activity)
                    : null);
        }
        catch (RpcError e) when (e.StatusCode is StatusCode.NotFound or StatusCode.InvalidArgument)
        {
            // The run was deleted while the task was on offer, or was ended because it exceeded its limits.
            return null;
        }
    }

    private static RunAddress Address(string ns, string workflowId, string runId) =>
        Requests.Address(ns, new() { WorkflowId = workflowId, RunId = runId });
}
