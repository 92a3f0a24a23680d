using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;

namespace Temporalio.Worker;

/// <summary>Takes a workflow task from the poll to the answer.</summary>
internal sealed class WorkflowTaskHandler
{
    private readonly IWorkerClient client;
    private readonly TemporalWorkerOptions options;
    private readonly WorkflowRegistry registry;
    private readonly LocalActivityRunner localActivities;
    private readonly WorkerLifetime lifetime;
    private readonly string? stickyQueue;
    private readonly ActivityWorker? eagerActivities;
    private readonly WorkflowCache cache;
    private readonly HistoryReader history;
    private readonly ILogger logger;

    public WorkflowTaskHandler(
        IWorkerClient client,
        TemporalWorkerOptions options,
        WorkerLifetime lifetime,
        WorkflowRegistry registry,
        LocalActivityRunner localActivities,
        ActivityWorker? eagerActivities)
    {
        this.client = client;
        this.options = options;
        this.registry = registry;
        this.localActivities = localActivities;
        this.lifetime = lifetime;
        stickyQueue = options.MaxCachedWorkflows > 0 ? lifetime.StickyQueue : null;
        this.eagerActivities = eagerActivities;
        cache = new WorkflowCache(options.MaxCachedWorkflows);
        history = new HistoryReader(client);
        logger = options.LoggerFactory!.CreateLogger<WorkflowTaskHandler>();
    }

    private IPayloadCodec? Codec => client.Options.DataConverter.PayloadCodec;

    /// <summary>Handles a task, and those that the server hands out with the answers. Errors are the server's to retry.</summary>
    public async Task HandleAsync(PollWorkflowTaskQueueResponse? task)
    {
        while (task is { TaskToken.IsEmpty: false })
        {
            task = await HandleOneAsync(task);
        }
    }

    private async Task<PollWorkflowTaskQueueResponse?> HandleOneAsync(PollWorkflowTaskQueueResponse task)
    {
        var runId = task.WorkflowExecution.RunId;
        var tags = Telemetry.Tags(options.TaskQueue!, "workflow_type", task.WorkflowType?.Name ?? "");
        var began = Stopwatch.GetTimestamp();
        try
        {
            await PayloadVisitor.DecodeAsync(task, Codec);
            var run = new WorkflowTaskRun(task, options, registry, localActivities, client.Options);
            var cached = cache.Take(runId);
            (cached is null ? Telemetry.StickyCacheMisses : Telemetry.StickyCacheHits).Add(1, tags);
            var completion = await run.ExecuteAsync(cached, history);
            Telemetry.WorkflowTaskExecution.Record(Stopwatch.GetElapsedTime(began).TotalMilliseconds, tags);
            if (task.Query is not null)
            {
                await AnswerQueryAsync(task, completion);
                Keep(completion);
                return null;
            }
            return await CompleteAsync(task, completion);
        }
#pragma warning disable CA1031 // Whatever went wrong fails the task, and the server hands it out again.
        catch (Exception e)
        {
            logger.LogWarning(
                e, "Failed workflow task of {WorkflowType} with ID {WorkflowId} and run ID {RunId}", task.WorkflowType?.Name, task.WorkflowExecution.WorkflowId, runId);
            Telemetry.WorkflowTaskFailures.Add(1, tags);
            await FailAsync(task, e);
            return null;
        }
#pragma warning restore CA1031
    }

    private async Task<PollWorkflowTaskQueueResponse?> CompleteAsync(PollWorkflowTaskQueueResponse task, WorkflowTaskCompletion completion)
    {
        var request = new RespondWorkflowTaskCompletedRequest
        {
            TaskToken = task.TaskToken,
            Namespace = client.Options.Namespace,
            Identity = options.Identity,
            SdkMetadata = new() { SdkName = "temporal-dotnet", SdkVersion = "1.9.0" },
            Capabilities = new() { DiscardSpeculativeWorkflowTaskWithEvents = true },
            Commands = { completion.Commands },
            Messages = { completion.Messages },
            QueryResults = { completion.QueryResults },
            ReturnNewWorkflowTask = true,
            ForceCreateNewWorkflowTask = completion.NeedsAnotherTask,
        };
        if (stickyQueue is not null && !completion.Workflow.Instance.IsComplete)
        {
            request.StickyAttributes = new()
            {
                WorkerTaskQueue = new() { Name = stickyQueue, Kind = TaskQueueKind.Sticky, NormalName = options.TaskQueue },
                ScheduleToStartTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(options.StickyQueueScheduleToStartTimeout),
            };
        }
        var eagerSlots = eagerActivities?.ReserveEager(request.Commands) ?? 0;
        try
        {
            await PayloadVisitor.EncodeAsync(request, Codec);
            // Before the answer, since the next task may come before the call returns. If the server refuses, the run is dropped again.
            Keep(completion);
            var response = await client.Connection.WorkflowService.CallPatientlyAsync(
                "RespondWorkflowTaskCompleted", request, RespondWorkflowTaskCompletedResponse.Parser, new() { Timeout = TimeSpan.FromSeconds(30), CancellationToken = lifetime.GivenUp });
            if (completion.Commands.LastOrDefault() is { } last && completion.Workflow.Instance.IsComplete)
            {
                Telemetry.WorkflowEnds.Add(1, new("workflow_type", task.WorkflowType.Name), new("end", last.CommandType.ToString()));
            }
            foreach (var activity in response.ActivityTasks)
            {
                eagerActivities?.StartEager(activity);
                eagerSlots--;
            }
            return response.WorkflowTask;
        }
        catch (RpcException e)
        {
            cache.Take(completion.Workflow.RunId);
            completion.Workflow.LocalActivities.Abandon();
            logger.LogWarning(
                "Server refused the workflow task of {WorkflowId} ({Code}: {Reason}); it will come again if it is still needed",
                task.WorkflowExecution.WorkflowId, e.Code, e.Message);
            return null;
        }
        catch (OperationCanceledException) when (lifetime.GivenUp.IsCancellationRequested)
        {
            logger.LogWarning("Worker ends while the server is away; the workflow task of {WorkflowId} will be done by another", task.WorkflowExecution.WorkflowId);
            return null;
        }
        finally
        {
            eagerActivities?.ReleaseEager(eagerSlots);
        }
    }

    private void Keep(WorkflowTaskCompletion completion)
    {
        if (!completion.Workflow.Instance.IsComplete)
        {
            cache.Put(completion.Workflow);
        }
    }

    private async Task AnswerQueryAsync(PollWorkflowTaskQueueResponse task, WorkflowTaskCompletion completion)
    {
        var answer = completion.QueryResults[WorkflowTaskRun.LoneQuery];
        var request = new RespondQueryTaskCompletedRequest
        {
            TaskToken = task.TaskToken,
            Namespace = client.Options.Namespace,
            CompletedType = answer.ResultType,
            QueryResult = answer.Answer,
            ErrorMessage = answer.ErrorMessage,
            Failure = answer.Failure,
        };
        await SendQueryAnswerAsync(request);
    }

    private async Task SendQueryAnswerAsync(RespondQueryTaskCompletedRequest request)
    {
        await PayloadVisitor.EncodeAsync(request, Codec);
        try
        {
            await client.Connection.WorkflowService.RespondQueryTaskCompletedAsync(request, new() { Retry = true });
        }
        catch (RpcException e)
        {
            // Whoever asked has gone by now.
            logger.LogDebug(e, "Could not answer a query");
        }
    }

    private async Task FailAsync(PollWorkflowTaskQueueResponse task, Exception error)
    {
        if (task.Query is not null)
        {
            await SendQueryAnswerAsync(new()
            {
                TaskToken = task.TaskToken,
                Namespace = client.Options.Namespace,
                CompletedType = QueryResultType.Failed,
                ErrorMessage = error.Message,
            });
            return;
        }
        // Later attempts are left to time out: that spaces the retries, and keeps the history short.
        if (task.Attempt > 1)
        {
            return;
        }
        try
        {
            await client.Connection.WorkflowService.RespondWorkflowTaskFailedAsync(
                new()
                {
                    TaskToken = task.TaskToken,
                    Namespace = client.Options.Namespace,
                    Identity = options.Identity,
                    Cause = error is WorkflowNondeterminismException
                        ? WorkflowTaskFailedCause.NonDeterministicError
                        : WorkflowTaskFailedCause.WorkflowWorkerUnhandledFailure,
                    Failure = await client.Options.DataConverter.ToFailureAsync(error),
                },
                new() { Retry = true });
        }
        catch (RpcException e)
        {
            logger.LogDebug(e, "Could not report the failure of a workflow task; it will time out");
        }
    }
}
