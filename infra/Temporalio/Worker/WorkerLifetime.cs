using Microsoft.Extensions.Logging;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Temporalio.Worker;

/// <summary>
/// When a worker polls and when it stops. A poll that is broken off may take a task with it that is on its way, so the server is asked to
/// answer the open polls first, where it can.
/// </summary>
internal sealed class WorkerLifetime(IWorkerClient client, TemporalWorkerOptions options, CancellationToken stoppingToken) : IDisposable
{
    private static readonly TimeSpan PollsMayTake = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ReportsMayTake = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
    private readonly CancellationTokenSource abortPolls = new();
    private readonly CancellationTokenSource giveUp = new();
    private bool endsPolls;

    /// <summary>Names this worker among others of the same identity.</summary>
    public string InstanceKey { get; } = Guid.NewGuid().ToString();

    /// <summary>Queue of the tasks of workflows that this worker has in memory.</summary>
    public string StickyQueue { get; } = $"{options.Identity}-{Guid.NewGuid():N}";

    /// <summary>Cancelled when no new poll is to be made.</summary>
    public CancellationToken Stopping => stop.Token;

    /// <summary>Cancelled when open polls are to be broken off.</summary>
    public CancellationToken PollsAborted => abortPolls.Token;

    /// <summary>Cancelled when a stopping worker no longer waits for a lost server to take what it has done.</summary>
    public CancellationToken GivenUp => giveUp.Token;

    public void Dispose()
    {
        giveUp.Dispose();
        stop.Dispose();
        abortPolls.Dispose();
    }

    /// <summary>Waits for the server and makes sure that the worker may use the namespace.</summary>
    /// <exception cref="InvalidOperationException">It does not exist or may not be used.</exception>
    public async Task StartAsync()
    {
        try
        {
            var description = await client.Connection.WorkflowService.CallPatientlyAsync(
                "DescribeNamespace",
                new Api.WorkflowService.V1.DescribeNamespaceRequest { Namespace = client.Options.Namespace },
                Api.WorkflowService.V1.DescribeNamespaceResponse.Parser,
                new() { CancellationToken = Stopping, Timeout = TimeSpan.FromSeconds(10) });
            endsPolls = description.NamespaceInfo?.Capabilities?.WorkerPollCompleteOnShutdown == true;
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound or RpcException.StatusCode.PermissionDenied or RpcException.StatusCode.Unauthenticated)
        {
            throw new InvalidOperationException($"Worker validation failed: namespace {client.Options.Namespace}: {e.Message}", e);
        }
    }

    /// <summary>Ends polling. Also gives the sticky queue back, whose tasks would wait for this worker otherwise.</summary>
    public async Task StopAsync(ILogger logger)
    {
        await stop.CancelAsync();
        giveUp.CancelAfter(options.GracefulShutdownTimeout + ReportsMayTake);
        var told = await TellServerAsync(logger);
        if (told && endsPolls)
        {
            abortPolls.CancelAfter(PollsMayTake);
        }
        else
        {
            await abortPolls.CancelAsync();
        }
    }

    private async Task<bool> TellServerAsync(ILogger logger)
    {
        try
        {
            await client.Connection.WorkflowService.ShutdownWorkerAsync(
                new()
                {
                    Namespace = client.Options.Namespace,
                    StickyTaskQueue = StickyQueue,
                    Identity = options.Identity,
                    Reason = "graceful shutdown",
                    WorkerInstanceKey = InstanceKey,
                    TaskQueue = options.TaskQueue,
                },
                new() { Timeout = PollsMayTake });
            return true;
        }
        catch (RpcException e)
        {
            logger.LogDebug(e, "Could not tell the server of the shutdown of the worker of task queue {TaskQueue}", options.TaskQueue);
            return false;
        }
    }
}
