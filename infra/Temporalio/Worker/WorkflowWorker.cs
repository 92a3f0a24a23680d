using Microsoft.Extensions.Logging;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Temporalio.Worker;

/// <summary>Polls for workflow tasks: of new workflows from the task queue, of cached ones from a sticky queue that is this worker's own.</summary>
internal sealed class WorkflowWorker : IDisposable
{
    // The server holds a poll for a minute.
    private static readonly TimeSpan PollTimeout = TimeSpan.FromSeconds(70);

    private readonly IWorkerClient client;
    private readonly TemporalWorkerOptions options;
    private readonly WorkflowTaskHandler handler;
    private readonly LocalActivityRunner localActivities;
    private readonly ILogger logger;
    private readonly SemaphoreSlim slots;
    private readonly string stickyQueue;
    private readonly TaskTracker running = new();

    public WorkflowWorker(
        IWorkerClient client, TemporalWorkerOptions options, WorkflowRegistry registry, ActivityRegistry activities, ActivityWorker? eagerActivities)
    {
        this.client = client;
        this.options = options;
        logger = options.LoggerFactory!.CreateLogger<WorkflowWorker>();
        stickyQueue = $"{options.Identity}-{Guid.NewGuid():N}";
        slots = new SemaphoreSlim(options.MaxConcurrentWorkflowTasks ?? 100);
        localActivities = new LocalActivityRunner(client, options, activities);
        handler = new WorkflowTaskHandler(client, options, registry, localActivities, options.MaxCachedWorkflows > 0 ? stickyQueue : null, eagerActivities);
    }

    public void Dispose()
    {
        slots.Dispose();
        localActivities.Dispose();
    }

    /// <summary>Runs until cancelled and the last task is done.</summary>
    public async Task RunAsync(CancellationToken shutdown)
    {
        var polls = Math.Max(1, options.MaxConcurrentWorkflowTaskPolls);
        var normalPolls = options.MaxCachedWorkflows == 0 ? polls : Math.Max(1, (int)(polls * options.NonStickyToStickyPollRatio));
        var stickyPolls = options.MaxCachedWorkflows == 0 ? 0 : Math.Max(1, polls - normalPolls);
        var normal = new TaskQueue { Name = options.TaskQueue, Kind = TaskQueueKind.Normal };
        var sticky = new TaskQueue { Name = stickyQueue, Kind = TaskQueueKind.Sticky, NormalName = options.TaskQueue };
        await Task.WhenAll(
            Enumerable.Repeat(normal, normalPolls).Concat(Enumerable.Repeat(sticky, stickyPolls)).Select(queue => PollAsync(queue, shutdown)));
        await running.DrainAsync();
        await ReturnStickyQueueAsync();
    }

    private async Task PollAsync(TaskQueue queue, CancellationToken shutdown)
    {
        var request = new PollWorkflowTaskQueueRequest { Namespace = client.Options.Namespace, TaskQueue = queue, Identity = options.Identity };
        while (!shutdown.IsCancellationRequested)
        {
            try
            {
                await slots.WaitAsync(shutdown);
            }
            catch (OperationCanceledException) when (shutdown.IsCancellationRequested)
            {
                return;
            }
            var handedOver = false;
            try
            {
                var task = await client.Connection.WorkflowService.CallPatientlyAsync(
                    "PollWorkflowTaskQueue", request, PollWorkflowTaskQueueResponse.Parser, new() { CancellationToken = shutdown, Timeout = PollTimeout });
                if (!task.TaskToken.IsEmpty)
                {
                    handedOver = true;
                    running.Add(HandleAsync(task));
                }
            }
            catch (OperationCanceledException) when (shutdown.IsCancellationRequested)
            {
                return;
            }
            catch (RpcException e)
            {
                await PollErrors.WaitAsync(logger, e, "workflow", shutdown);
            }
            finally
            {
                if (!handedOver)
                {
                    slots.Release();
                }
            }
        }
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

    // Without this, tasks of cached workflows would wait for this worker until the sticky timeout.
    private async Task ReturnStickyQueueAsync()
    {
        try
        {
            await client.Connection.WorkflowService.ShutdownWorkerAsync(
                new() { Namespace = client.Options.Namespace, StickyTaskQueue = stickyQueue, Identity = options.Identity, Reason = "graceful shutdown", TaskQueue = options.TaskQueue },
                new() { Timeout = TimeSpan.FromSeconds(5) });
        }
        catch (RpcException e)
        {
            logger.LogDebug(e, "Could not tell the server of the shutdown of task queue {TaskQueue}", options.TaskQueue);
        }
    }
}
