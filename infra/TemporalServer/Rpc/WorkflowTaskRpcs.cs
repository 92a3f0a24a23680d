using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.Query.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine;
using TemporalServer.Engine.State;
using TemporalServer.Queues;
using TemporalServer.Runtime;
using TemporalServer.Serving;
using TemporalServer.Visibility;

namespace TemporalServer.Rpc;

/// <summary>Workflow tasks: workers take, complete and fail them.</summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<WorkflowTaskRpcs>), "Bind")]
internal class WorkflowTaskRpcs(
    Executions executions, TaskQueues queues, PendingQueries queries, PendingUpdates updates, HistoryPages pages,
    SearchAttributeTypes attributes, LongPolls polls)
{
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(60);

    public virtual async Task<PollWorkflowTaskQueueResponse> PollWorkflowTaskQueue(
        PollWorkflowTaskQueueRequest request, ServerCallContext call)
    {
        VersioningRpcs.EnsureUnversioned(request.WorkerVersionCapabilities, request.DeploymentOptions);
        var queue = queues[new QueueKey(request.Namespace, RequireName(request.TaskQueue), Activities: false)];
        using var poll = polls.Begin(call, LongestPoll);
        var poller = new Poller(request.Identity, request.WorkerInstanceKey);
        while (await queue.PollAsync(poller, poll.Over) is { } offer)
        {
            if (poll.IsAbandoned)
            {
                queue.Add(offer);
                break;
            }

            var response = offer switch
            {
                Offer.Work work => await StartAsync(work.Task, request.Identity),
                Offer.Question question => await AskAsync(question.Query),
                _ => null,
            };
            if (response is not null)
            {
                return response;
            }
        }

        return new();
    }

    public virtual async Task<RespondWorkflowTaskCompletedResponse> RespondWorkflowTaskCompleted(
        RespondWorkflowTaskCompletedRequest request, ServerCallContext call)
    {
        var token = Tokens.Read(request.TaskToken, TaskKind.Workflow);
        var response = new RespondWorkflowTaskCompletedResponse();
        var fault = await executions.UpdateAsync(token.Run(), run =>
        {
            var task = run.RequireStartedTask(token);
            (var eager, var found) = run.CompleteWorkflowTask(
                task, request, updates.Inbox(token.RunId), attributes.IsDefined);
            if (found is null)
            {
                response.ActivityTasks.Add(eager.Select(a => ActivityTaskRpcs.Response(run, a)));
                if (request.ReturnNewWorkflowTask && run.State.Task is { StartedEventId: 0 } next
                    && run.StartWorkflowTask(next.ScheduledEventId, next.Attempt, Guid.NewGuid().ToString(), request.Identity))
                {
                    response.WorkflowTask = Response(run, sticky: run.State.Sticky is not null);
                }
            }

            return found;
        });
        if (fault is not null)
        {
            throw RpcError.InvalidArgument(fault.Text);
        }

        foreach ((var id, var result) in request.QueryResults)
        {
            queries.Find(id)?.Answer.TrySetResult(result);
        }

        return response;
    }

    public virtual async Task<RespondWorkflowTaskFailedResponse> RespondWorkflowTaskFailed(
        RespondWorkflowTaskFailedRequest request, ServerCallContext call)
    {
        var token = Tokens.Read(request.TaskToken, TaskKind.Workflow);
        await executions.UpdateAsync(token.Run(), run =>
        {
            run.RequireStartedTask(token);
            run.FailWorkflowTask(request.Cause, request.Failure, request.Identity);
        });
        return new();
    }

    public virtual async Task<ResetStickyTaskQueueResponse> ResetStickyTaskQueue(
        ResetStickyTaskQueueRequest request, ServerCallContext call)
    {
        await executions.UpdateAsync(Requests.Address(request.Namespace, request.Execution), run => run.LeaveStickyQueue());
        return new();
    }

    private Task<PollWorkflowTaskQueueResponse?> StartAsync(DispatchTask task, string identity) =>
        FoundAsync(() => executions.UpdateAsync(task.Run, run =>
            run.StartWorkflowTask(task.ScheduledEventId, task.Attempt, Guid.NewGuid().ToString(), identity)
                ? Response(run, task.Sticky)
                : null));

    private Task<PollWorkflowTaskQueueResponse?> AskAsync(PendingQuery query) => query.Answer.Task.IsCompleted
        ? Task.FromResult<PollWorkflowTaskQueueResponse?>(null)
        : FoundAsync(() => executions.UpdateAsync<PollWorkflowTaskQueueResponse?>(query.Run, run =>
        {
            var response = Describe(run, TaskKind.Query, query.StickyQueue.Length > 0);
            response.TaskToken = Tokens.Write(new TaskToken
            {
                Kind = TaskKind.Query,
                Namespace = run.State.Namespace,
                WorkflowId = run.State.WorkflowId,
                RunId = run.State.RunId,
                QueryId = query.Id,
            });
            response.Query = query.Query;
            return response;
        }));

    private PollWorkflowTaskQueueResponse Response(WorkflowRun run, bool sticky)
    {
        var task = run.State.Task;
        var response = Describe(run, TaskKind.Workflow, sticky);
        response.TaskToken = Tokens.Write(new TaskToken
        {
            Kind = TaskKind.Workflow,
            Namespace = run.State.Namespace,
            WorkflowId = run.State.WorkflowId,
            RunId = run.State.RunId,
            ScheduledEventId = task.ScheduledEventId,
            StartedEventId = task.StartedEventId,
            Attempt = task.Attempt,
        });
        response.StartedEventId = task.StartedEventId;
        response.Attempt = task.Attempt;
        response.ScheduledTime = task.ScheduledTime;
        response.StartedTime = task.StartedTime;
        foreach (var query in queries.Of(run.State.RunId).Where(q => !q.Offered && !q.Answer.Task.IsCompleted))
        {
            response.Queries[query.Id] = query.Query;
        }

        foreach (var update in updates.Show(run.State.RunId, run.UpdateProgress))
        {
            response.Messages.Add(new Message
            {
                Id = $"{update.Meta.UpdateId}/request",
                ProtocolInstanceId = update.Meta.UpdateId,
                EventId = task.StartedEventId - 1,
                Body = Any.Pack(update),
            });
        }

        return response;
    }

    // A query on a sticky queue carries no history: its worker has the workflow in its cache.
    private PollWorkflowTaskQueueResponse Describe(WorkflowRun run, TaskKind kind, bool sticky)
    {
        var from = HistoryPages.Start(run, sticky ? run.State.LastStartedEventId + 1 : 1);
        from.LastEventId = run.History.Count;
        from.WithTransientTask = kind == TaskKind.Workflow && run.IsWorkflowTaskTransient;
        var response = new PollWorkflowTaskQueueResponse
        {
            WorkflowExecution = run.Execution,
            WorkflowType = new() { Name = run.State.WorkflowType },
            PreviousStartedEventId = run.State.LastStartedEventId,
            WorkflowExecutionTaskQueue = new() { Name = run.State.TaskQueue, Kind = TaskQueueKind.Normal },
            Attempt = 1,
            History = new(),
        };
        if (kind == TaskKind.Query && sticky)
        {
            return response;
        }

        (response.History, response.NextPageToken) = pages.Cut(run, from);
        return response;
    }

    private static async Task<T?> FoundAsync<T>(Func<Task<T?>> action)
        where T : class
    {
        try
        {
            return await action();
        }
        catch (RpcError e) when (e.StatusCode is StatusCode.NotFound or StatusCode.InvalidArgument)
        {
            // The run was deleted while the task was on offer, or was ended because it exceeded its limits.
            return null;
        }
    }

    private static string RequireName(Temporalio.Api.TaskQueue.V1.TaskQueue? queue) =>
        queue is { Name.Length: > 0 } ? queue.Name : throw RpcError.InvalidArgument("TaskQueue is not set on request.");
}
