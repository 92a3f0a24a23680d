using System.Diagnostics;
using Temporalio.Api.Command.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.Query.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker.Execution;

namespace Temporalio.Worker;

/// <summary>The run of workflow code for one workflow task: replays what came before where the cache does not hold it, then goes on.</summary>
internal sealed class WorkflowTaskRun(
    PollWorkflowTaskQueueResponse task,
    TemporalWorkerOptions options,
    WorkflowRegistry registry,
    LocalActivityRunner localActivities,
    TemporalClientOptions clientOptions)
{
    /// <summary>Key of the result of a query that came alone, with no workflow task.</summary>
    public const string LoneQuery = "";

    // As long as in the other SDKs; longer means blocked or busy code, which would hold up the other workflows.
    private static readonly TimeSpan DeadlockTimeout = TimeSpan.FromSeconds(2);

    private readonly Stopwatch sinceTaskStart = Stopwatch.StartNew();

    public async Task<WorkflowTaskCompletion> ExecuteAsync(CachedWorkflow? cached, HistoryReader history)
    {
        IReadOnlyList<HistoryEvent> events = await history.CompleteAsync(task);
        // A query on a cached workflow comes without events; otherwise they must go on where the cache ended.
        var fits = cached is not null && (events.Count == 0 ? task.Query is not null : events[0].EventId == cached.LastEventId + 1);
        if (!fits)
        {
            cached = null;
            if (events.Count == 0 || events[0].EventId != 1)
            {
                events = await history.FetchAllAsync(task, events);
            }
        }
        return await RunAsync(cached, events);
    }

    private async Task<WorkflowTaskCompletion> RunAsync(CachedWorkflow? cached, IReadOnlyList<HistoryEvent> events)
    {
        var chunks = HistoryChunk.Split(events);
        var instance = cached?.Instance ?? CreateInstance(events, chunks);
        var lastEventId = cached?.LastEventId ?? 0;
        for (var i = 0; i < chunks.Count; i++)
        {
            if (chunks[i].Started is not { } started)
            {
                // The rest belongs to a task that has not come, or to none since the workflow is closed.
                break;
            }
            var live = task.Query is null && i == chunks.Count - 1;
            var activation = live
                ? WorkflowActivation.Live(chunks[i], Updates())
                : WorkflowActivation.Replay(chunks[i], i + 1 < chunks.Count ? chunks[i + 1] : null);
            await WithDeadlineAsync(() => instance.Activate(activation));
            lastEventId = started.EventId;
            if (!live)
            {
                // Sent before.
                instance.TakeCommands();
                instance.TakeMessages();
            }
        }
        return await FinishAsync(instance, cached?.LocalActivities ?? new(localActivities), lastEventId);
    }

    private async Task<WorkflowTaskCompletion> FinishAsync(WorkflowInstance instance, LocalActivityRuns localRuns, long lastEventId)
    {
        var waits = task.Query is null && await localRuns.RunAsync(instance, sinceTaskStart, WithDeadlineAsync);
        var commands = task.Query is null ? instance.TakeCommands() : [];
        var messages = instance.TakeMessages();
        var answers = await WithDeadlineAsync(() =>
        {
            var results = task.Queries.ToDictionary(query => query.Key, query => instance.Query(query.Value));
            if (task.Query is not null)
            {
                results[LoneQuery] = instance.Query(task.Query);
            }
            return results;
        });
        return new(new(task.WorkflowExecution.RunId, instance, localRuns, lastEventId), commands, messages, answers, waits);
    }

    private WorkflowInstance CreateInstance(IReadOnlyList<HistoryEvent> events, IReadOnlyList<HistoryChunk> chunks)
    {
        var definition = registry.Find(task.WorkflowType.Name);
        var firstTask = chunks.FirstOrDefault(chunk => chunk.Started is not null)?.Started ?? events[0];
        return new(
            new(
                definition,
                clientOptions.Namespace,
                task.WorkflowExecution.WorkflowId,
                task.WorkflowExecution.RunId,
                clientOptions.DataConverter,
                options.LoggerFactory!,
                options.WorkflowFailureExceptionTypes ?? []),
            events[0],
            firstTask.EventTime.ToDateTime());
    }

    private List<UpdateRequest> Updates() => task.Messages
        .Where(message => message.Body.Is(Request.Descriptor))
        .Select(message => new UpdateRequest(
            message.ProtocolInstanceId, message.Id, message.EventId, message.Body.Unpack<Request>(), IsAccepted: false))
        .ToList();

    private Task WithDeadlineAsync(Action code) => WithDeadlineAsync(() =>
    {
        code();
        return true;
    });

    private async Task<T> WithDeadlineAsync<T>(Func<T> code)
    {
        // Time in the thread pool's queue is not the workflow's.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Task.Run(() =>
        {
            started.SetResult();
            return code();
        });
        await started.Task;
        try
        {
            return options.DebugMode ? await running : await running.WaitAsync(DeadlockTimeout);
        }
        catch (TimeoutException e) when (!running.IsCompleted)
        {
            throw new InvalidWorkflowOperationException(
                $"[TMPRL1101] Potential deadlock detected: workflow didn't yield within {DeadlockTimeout.TotalSeconds:F0} second(s)", null, e);
        }
    }
}

/// <summary>What a workflow task led to.</summary>
/// <param name="Workflow">The run as it is now.</param>
/// <param name="Commands">Commands to send.</param>
/// <param name="Messages">Messages about updates to send.</param>
/// <param name="QueryResults">Answers by the query's key.</param>
/// <param name="NeedsAnotherTask">Whether the workflow still waits for local activities, and so for a task to go on in.</param>
internal sealed record WorkflowTaskCompletion(
    CachedWorkflow Workflow,
    IReadOnlyList<Command> Commands,
    IReadOnlyList<Message> Messages,
    IDictionary<string, WorkflowQueryResult> QueryResults,
    bool NeedsAnotherTask);
