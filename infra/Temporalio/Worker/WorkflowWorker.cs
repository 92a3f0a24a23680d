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
        slots = new SemaphoreSlim(options.MaxConcurrentWorkflowTasks ?? 100);
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
        var polls = Math.Max(1, options.MaxConcurrentWorkflowTaskPolls);
        var normalPolls = options.MaxCachedWorkflows == 0 ? polls : Math.Max(1, (int)(polls * options.NonStickyToStickyPollRatio));
        var stickyPolls = options.MaxCachedWorkflows == 0 ? 0 : Math.Max(1, polls - normalPolls);
        var normal = Poller(new() { Name = options.TaskQueue, Kind = TaskQueueKind.Normal });
        var sticky = Poller(new() { Name = lifetime.StickyQueue, Kind = TaskQueueKind.Sticky, NormalName = options.TaskQueue });
        await Task.WhenAll(Enumerable.Repeat(normal, normalPolls).Concat(Enumerable.Repeat(sticky, stickyPolls)).Select(poller => poller.RunAsync(lifetime)));
        await running.DrainAsync();
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
