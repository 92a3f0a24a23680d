using Google.Protobuf.Collections;
using Microsoft.Extensions.Logging;
using Temporalio.Activities;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace Temporalio.Worker;

/// <summary>Polls for activities and runs them.</summary>
internal sealed class ActivityWorker : IDisposable
{
    private readonly IWorkerClient client;
    private readonly TemporalWorkerOptions options;
    private readonly WorkerLifetime lifetime;
    private readonly ActivityRegistry registry;
    private readonly ILogger logger;
    private readonly SemaphoreSlim slots;
    private readonly CancellationTokenSource shutdownNotice = new();
    private readonly System.Collections.Concurrent.ConcurrentDictionary<RunningActivity, bool> active = new();
    private readonly TaskTracker running = new();

    public ActivityWorker(IWorkerClient client, TemporalWorkerOptions options, WorkerLifetime lifetime, ActivityRegistry registry)
    {
        this.lifetime = lifetime;
        this.client = client;
        this.options = options;
        this.registry = registry;
        logger = options.LoggerFactory!.CreateLogger<ActivityWorker>();
        slots = new SemaphoreSlim(options.MaxConcurrentActivities ?? 100);
    }

    public void Dispose()
    {
        slots.Dispose();
        shutdownNotice.Dispose();
    }

    /// <summary>Runs until the worker stops and the last activity has ended; they are cancelled after the graceful shutdown timeout.</summary>
    public async Task RunAsync()
    {
        using var notice = lifetime.Stopping.Register(() => shutdownNotice.CancelAsync());
        var poller = Poller();
        await Task.WhenAll(Enumerable.Range(0, Math.Max(1, options.MaxConcurrentActivityTaskPolls)).Select(_ => poller.RunAsync(lifetime)));
        var drained = running.DrainAsync();
        if (!drained.IsCompleted)
        {
            logger.LogInformation(
                "Worker of task queue {TaskQueue} shuts down; {Count} activities have {Timeout} to end", options.TaskQueue, running.Count, options.GracefulShutdownTimeout);
            await Task.WhenAny(drained, Task.Delay(options.GracefulShutdownTimeout, CancellationToken.None));
        }
        foreach (var activity in active.Keys)
        {
            activity.Cancel(ActivityCancelReason.WorkerShutdown);
        }
        await drained;
    }

    /// <summary>
    /// Reserves slots for activities that the server may hand out with the answer to a workflow task, and takes the request for it from
    /// those commands for which there is no slot.
    /// </summary>
    /// <returns>Number of reserved slots.</returns>
    public int ReserveEager(RepeatedField<Command> commands)
    {
        // As in the other SDKs: few, so that one workflow does not take the whole worker.
        const int MostPerTask = 3;
        var reserved = 0;
        foreach (var schedule in commands.Select(command => command.ScheduleActivityTaskCommandAttributes).Where(attributes => attributes is { RequestEagerExecution: true }))
        {
            if (reserved < MostPerTask && !options.DisableEagerActivityExecution && !shutdownNotice.IsCancellationRequested && slots.Wait(0))
            {
                reserved++;
            }
            else
            {
                schedule.RequestEagerExecution = false;
            }
        }
        return reserved;
    }

    /// <summary>Gives back reserved slots that were not used.</summary>
    public void ReleaseEager(int count)
    {
        if (count > 0)
        {
            slots.Release(count);
        }
    }

    /// <summary>Runs an activity in a reserved slot.</summary>
    public void StartEager(PollActivityTaskQueueResponse task) => running.Add(RunActivityAsync(task));

    private TaskPoller<PollActivityTaskQueueResponse> Poller()
    {
        var request = new PollActivityTaskQueueRequest
        {
            Namespace = client.Options.Namespace,
            TaskQueue = new() { Name = options.TaskQueue, Kind = TaskQueueKind.Normal },
            Identity = options.Identity,
            WorkerInstanceKey = lifetime.InstanceKey,
            TaskQueueMetadata = options.MaxTaskQueueActivitiesPerSecond is { } rate ? new() { MaxTasksPerSecond = rate } : null,
        };
        return new(
            "activity",
            slots,
            abort => client.Connection.WorkflowService.CallPatientlyAsync(
                "PollActivityTaskQueue",
                request,
                PollActivityTaskQueueResponse.Parser,
                new() { CancellationToken = abort, Timeout = TaskPoller<PollActivityTaskQueueResponse>.PollTimeout }),
            task => !task.TaskToken.IsEmpty,
            task => running.Add(RunActivityAsync(task)),
            logger);
    }

    private async Task RunActivityAsync(PollActivityTaskQueueResponse task)
    {
        await Task.Yield();
        using var activity = new RunningActivity(client, options, task, shutdownNotice.Token, lifetime.GivenUp);
        active[activity] = true;
        try
        {
            await activity.RunAsync(registry);
        }
#pragma warning disable CA1031 // One activity must not take the worker down; the server retries it after its timeout.
        catch (Exception e)
        {
            logger.LogError(e, "Failed completing activity {ActivityType} of workflow {WorkflowId}", task.ActivityType.Name, task.WorkflowExecution?.WorkflowId);
        }
#pragma warning restore CA1031
        finally
        {
            active.TryRemove(activity, out _);
            slots.Release();
        }
    }
}
