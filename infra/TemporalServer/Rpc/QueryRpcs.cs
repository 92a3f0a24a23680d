using Grpc.Core;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.ErrorDetails.V1;
using Temporalio.Api.Query.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine;
using TemporalServer.Engine.State;
using TemporalServer.Queues;
using TemporalServer.Runtime;
using TemporalServer.Serving;

namespace TemporalServer.Rpc;

/// <summary>
/// Queries. A query asked while a workflow task is pending travels with the next one, so that it sees all that happened
/// before it was asked; otherwise it goes to a worker by itself.
/// </summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<QueryRpcs>), "Bind")]
internal class QueryRpcs(Executions executions, TaskQueues queues, PendingQueries queries, LongPolls polls)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StickyPatience = TimeSpan.FromSeconds(5);

    public virtual async Task<QueryWorkflowResponse> QueryWorkflow(QueryWorkflowRequest request, ServerCallContext call)
    {
        if (request.Query is not { QueryType.Length: > 0 })
        {
            throw RpcError.InvalidArgument("QueryType is not set on request.");
        }

        using var poll = polls.Begin(call, LongestWait);
        PendingQuery? query = null;
        try
        {
            var rejected = await executions.UpdateAsync(Requests.Address(request.Namespace, request.Execution), run =>
            {
                if (IsRejected(run.State.Status, request.QueryRejectCondition))
                {
                    return run.State.Status;
                }

                query = new PendingQuery(run.Address, request.Query);
                queries.Add(query);
                OfferTo(run, query);
                return (WorkflowExecutionStatus?)null;
            });
            return rejected is { } status ? new() { QueryRejected = new() { Status = status } } : await AnswerAsync(query!, poll.Over);
        }
        finally
        {
            if (query is not null)
            {
                query.Answer.TrySetCanceled();
                queries.Remove(query);
            }
        }
    }

    public virtual Task<RespondQueryTaskCompletedResponse> RespondQueryTaskCompleted(
        RespondQueryTaskCompletedRequest request, ServerCallContext call)
    {
        var token = Tokens.Read(request.TaskToken, TaskKind.Query);
        var query = queries.Find(token.QueryId) ?? throw RpcError.NotFound("query task not found, or already expired");
        query.Answer.TrySetResult(new WorkflowQueryResult
        {
            ResultType = request.CompletedType,
            Answer = request.QueryResult,
            ErrorMessage = request.ErrorMessage,
            Failure = request.Failure,
        });
        return Task.FromResult(new RespondQueryTaskCompletedResponse());
    }

    /// <summary>Offers the queries of a run that no workflow task will carry; called after each of its transitions.</summary>
    public void OfferWaiting(WorkflowRun run)
    {
        foreach (var query in queries.Of(run.State.RunId))
        {
            OfferTo(run, query);
        }
    }

    private void OfferTo(WorkflowRun run, PendingQuery query)
    {
        if (query.Offered || run.State.Task is not null || run.State.LastStartedEventId == 0)
        {
            return;
        }

        query.Offered = true;
        query.StickyQueue = run.State.Sticky?.Queue ?? "";
        if (query.StickyQueue.Length > 0 && !queues.HasPoller(new QueueKey(run.State.Namespace, query.StickyQueue, Activities: false)))
        {
            query.StickyQueue = "";
        }

        query.NormalQueue = run.State.TaskQueue;
        Put(query);
    }

    private void Put(PendingQuery query) =>
        queues[new QueueKey(query.Run.Namespace, query.StickyQueue.Length > 0 ? query.StickyQueue : query.NormalQueue, Activities: false)]
            .Add(new Offer.Question(query));

    private async Task<QueryWorkflowResponse> AnswerAsync(PendingQuery query, CancellationToken deadline)
    {
        try
        {
            if (await AnsweredWithinAsync(query, StickyPatience, deadline) is not { } result)
            {
                if (query.StickyQueue.Length > 0)
                {
                    query.StickyQueue = "";
                    Put(query);
                }

                result = await query.Answer.Task.WaitAsync(deadline);
            }

            return result.ResultType == QueryResultType.Answered
                ? new() { QueryResult = result.Answer }
                : throw new RpcError(StatusCode.InvalidArgument, result.ErrorMessage, new QueryFailedFailure { Failure = result.Failure });
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            throw new RpcError(StatusCode.DeadlineExceeded, "query timed out before a worker could process it");
        }
    }

    private static async Task<WorkflowQueryResult?> AnsweredWithinAsync(PendingQuery query, TimeSpan patience, CancellationToken deadline)
    {
        try
        {
            return await query.Answer.Task.WaitAsync(patience, deadline);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private static bool IsRejected(WorkflowExecutionStatus status, QueryRejectCondition condition) => condition switch
    {
        QueryRejectCondition.NotOpen => status != WorkflowExecutionStatus.Running,
        QueryRejectCondition.NotCompletedCleanly => status is not (WorkflowExecutionStatus.Running or WorkflowExecutionStatus.Completed),
        _ => false,
    };
}
