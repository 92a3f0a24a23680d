using Temporalio.Activities;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Exceptions;

namespace Temporalio.Worker;

/// <summary>
/// Sends an activity's heartbeats: the first at once, then the latest each time 0.8 of the heartbeat timeout has passed. The answers
/// bring cancellation.
/// </summary>
internal sealed class ActivityHeartbeat : IDisposable
{
    // A server that comes back must hear of the activity before the heartbeat timeout has passed.
    private static readonly TimeSpan AfterError = TimeSpan.FromSeconds(1);

    private readonly IWorkerClient client;
    private readonly TemporalWorkerOptions options;
    private readonly PollActivityTaskQueueResponse task;
    private readonly ActivityCancellation cancellation;
    private readonly TimeSpan interval;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stop = new();
    private object?[]? latest;
    private Task? sending;

    public ActivityHeartbeat(IWorkerClient client, TemporalWorkerOptions options, PollActivityTaskQueueResponse task, ActivityCancellation cancellation)
    {
        this.client = client;
        this.options = options;
        this.task = task;
        this.cancellation = cancellation;
        var wanted = task.HeartbeatTimeout.ToOptionalTimeSpan() is { } timeout ? timeout * 0.8 : options.DefaultHeartbeatThrottleInterval;
        interval = wanted < options.MaxHeartbeatThrottleInterval ? wanted : options.MaxHeartbeatThrottleInterval;
    }

    /// <summary>Why details could not be converted, if so.</summary>
    public Exception? Error { get; private set; }

    public void Dispose() => stop.Dispose();

    /// <summary>Takes the details of a heartbeat; those that come before it is sent replace it.</summary>
    public void Record(object?[] details)
    {
        lock (gate)
        {
            latest = details;
            sending ??= SendAllAsync();
        }
    }

    /// <summary>Ends sending, for the answer to come.</summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync();
        if (sending is { } running)
        {
            await running;
        }
    }

    /// <summary>Details that were recorded but not sent; null where there are none. To be called after <see cref="StopAsync"/>.</summary>
    public async Task<Payloads?> UnsentDetailsAsync() =>
        latest is { } details && Error is null ? await client.Options.DataConverter.ToPayloadsAsync(details) : null;

    private async Task SendAllAsync()
    {
        await Task.Yield();
        while (true)
        {
            object?[]? details;
            lock (gate)
            {
                details = latest;
                if (details is null || stop.IsCancellationRequested)
                {
                    sending = null;
                    return;
                }
                latest = null;
            }
            var sent = await SendAsync(details);
            await Task.WhenAny(Task.Delay(sent || interval < AfterError ? interval : AfterError, stop.Token));
        }
    }

    private async Task<bool> SendAsync(object?[] details)
    {
        Payloads payloads;
        try
        {
            payloads = await client.Options.DataConverter.ToPayloadsAsync(details);
        }
#pragma warning disable CA1031 // The activity fails with it.
        catch (Exception e)
        {
            Error = e;
            cancellation.Cancel(ActivityCancelReason.HeartbeatRecordFailure);
            return true;
        }
#pragma warning restore CA1031
        try
        {
            var response = await client.Connection.WorkflowService.RecordActivityTaskHeartbeatAsync(
                new() { TaskToken = task.TaskToken, Namespace = client.Options.Namespace, Identity = options.Identity, Details = payloads },
                new() { Timeout = TimeSpan.FromSeconds(10), CancellationToken = stop.Token });
            Heed(response);
            return true;
        }
        catch (RpcException e) when (e.Code == RpcException.StatusCode.NotFound)
        {
            cancellation.Cancel(ActivityCancelReason.GoneFromServer);
            return true;
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            // The server is away, or the activity has ended: the details stay for the next time, or for the answer.
            lock (gate)
            {
                latest ??= details;
            }
            return false;
        }
    }

    private void Heed(RecordActivityTaskHeartbeatResponse response)
    {
        if (response.CancelRequested)
        {
            cancellation.Cancel(ActivityCancelReason.CancelRequested);
        }
        else if (response.ActivityReset)
        {
            cancellation.Cancel(ActivityCancelReason.Reset);
        }
        else if (response.ActivityPaused)
        {
            cancellation.Cancel(ActivityCancelReason.Paused);
        }
    }
}
