using Microsoft.Extensions.Logging;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace Temporalio.Worker;

/// <summary>Polls for workflow tasks: of new workflows from the task queue, of cached ones from a sticky queue that is this worker's own.</summary>
internal sealed class WorkflowWorker : IDisposable
{
    private readonly IWorkerClient client;
    private readonly TemporalWorkerOptions options;
    private readonly WorkflowTaskHandler handler;
    private readonly LocalActivityRunner localActivities;
    private readonly WorkerLifetime lifetime;
    private readonly ILogger logger;
    private readonly int taskSlots;
    private readonly SemaphoreSlim slots;
    private readonly TaskTracker running = new();

    public WorkflowWorker(
        IWorkerClient client,
        TemporalWorkerOptions options,
        WorkerLifetime lifetime,
        WorkflowRegistry registry,
        ActivityRegistry activities,
        ActivityWorker? eagerActivities)
    {
        this.client = client;
        this.options = options;
        this.lifetime = lifetime;
        logger = options.LoggerFactory!.CreateLogger<WorkflowWorker>();
        // Both queues are polled at any time, so there are two slots at least.
        taskSlots = Math.Max(options.MaxCachedWorkflows == 0 ? 1 : 2, options.MaxConcurrentWorkflowTasks ?? 100);
        slots = new SemaphoreSlim(taskSlots);
        localActivities = new LocalActivityRunner(client, options, activities);
        handler = new WorkflowTaskHandler(client, options, lifetime, registry, localActivities, eagerActivities);
    }

    public void Dispose()
    {
        slots.Dispose();
        localActivities.Dispose();
    }

    /// <summary>Runs until the worker stops and the last task is done.</summary>
    public async Task RunAsync()
    {
        var (normalPolls, stickyPolls) = Polls();
        var normal = Poller(new() { Name = options.TaskQueue, Kind = TaskQueueKind.Normal });
        var sticky = Poller(new() { Name = lifetime.StickyQueue, Kind = TaskQueueKind.Sticky, NormalName = options.TaskQueue });
        await Task.WhenAll(Enumerable.Repeat(normal, normalPolls).Concat(Enumerable.Repeat(sticky, stickyPolls)).Select(poller => poller.RunAsync(lifetime)));
        await running.DrainAsync();
    }

    // An open poll holds a slot: there must not be more polls than slots, or those of one queue could lock out the other's.
    private (int Normal, int Sticky) Polls()
    {
        var polls = Math.Max(1, Math.Min(options.MaxConcurrentWorkflowTaskPolls, taskSlots));
        if (options.MaxCachedWorkflows == 0)
        {
            return (polls, 0);
        }
        var normal = Math.Max(1, (int)(polls * options.NonStickyToStickyPollRatio));
        return (normal, Math.Max(1, polls - normal));
    }

    private TaskPoller<PollWorkflowTaskQueueResponse> Poller(TaskQueue queue)
    {
        var request = new PollWorkflowTaskQueueRequest
        {
            Namespace = client.Options.Namespace,
            TaskQueue = queue,
            Identity = options.Identity,
            WorkerInstanceKey = lifetime.InstanceKey,
        };
        return new(
            "workflow",
            slots,
            abort => client.Connection.WorkflowService.CallPatientlyAsync(
                "PollWorkflowTaskQueue",
                request,
                PollWorkflowTaskQueueResponse.Parser,
                new() { CancellationToken = abort, Timeout = TaskPoller<PollWorkflowTaskQueueResponse>.PollTimeout }),
            task => !task.TaskToken.IsEmpty,
            task => running.Add(HandleAsync(task)),
            logger);
    }

    private async Task HandleAsync(PollWorkflowTaskQueueResponse task)
    {
        await Task.Yield();
        try
        {
            await handler.HandleAsync(task);
        }
        finally
        {
            slots.Release();
        }
    }
}
