using Microsoft.Extensions.Logging;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Temporalio.Worker;

/// <summary>
/// Runs workflows and activities of one task queue. Needs no server while it runs: a lost one is waited for, and what has been worked out
/// meanwhile is handed in when it is back.
/// </summary>
public sealed class TemporalWorker : IDisposable
{
    private readonly WorkflowWorker? workflowWorker;
    private readonly ActivityWorker? activityWorker;
    private readonly ILogger logger;
    private int started;

    /// <summary>Creates a worker; it does nothing until executed.</summary>
    /// <exception cref="ArgumentException">The task queue is missing, nothing is registered, or a name is registered twice.</exception>
    public TemporalWorker(IWorkerClient client, TemporalWorkerOptions options)
    {
        Client = client;
        Options = (TemporalWorkerOptions)options.Clone();
        if (string.IsNullOrEmpty(Options.TaskQueue))
        {
            throw new ArgumentException("Task queue must be set", nameof(options));
        }
        if (Options.Workflows.Count == 0 && Options.Activities.Count == 0)
        {
            throw new ArgumentException("Must have at least one workflow or activity", nameof(options));
        }
        Options.LoggerFactory ??= client.Options.LoggerFactory;
        Options.Identity ??= client.Connection.Options.Identity;
        logger = Options.LoggerFactory.CreateLogger<TemporalWorker>();
        var activities = new ActivityRegistry(Options.Activities);
        if (Options.Activities.Count > 0 && !Options.LocalActivityWorkerOnly)
        {
            activityWorker = new ActivityWorker(client, Options, activities);
        }
        if (Options.Workflows.Count > 0)
        {
            workflowWorker = new WorkflowWorker(client, Options, new WorkflowRegistry(Options.Workflows), activities, activityWorker);
        }
    }

    /// <summary>The client.</summary>
    public IWorkerClient Client { get; }

    /// <summary>The options, as they were when the worker was created.</summary>
    public TemporalWorkerOptions Options { get; }

    /// <summary>Runs until cancelled, then lets what is running end as the options say.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The worker has run before, or the namespace does not exist or may not be used.</exception>
    public Task ExecuteAsync(CancellationToken stoppingToken) => RunAsync(null, stoppingToken);

    /// <summary>Runs until the function ends.</summary>
    /// <param name="untilComplete">The function.</param>
    /// <param name="stoppingToken">Ends the worker earlier.</param>
    /// <inheritdoc cref="ExecuteAsync(CancellationToken)"/>
    public Task ExecuteAsync(Func<Task> untilComplete, CancellationToken stoppingToken = default) =>
        ExecuteAsync<ValueTuple>(
            async () =>
            {
                await untilComplete();
                return default;
            },
            stoppingToken);

    /// <returns>Result of the function.</returns>
    /// <inheritdoc cref="ExecuteAsync(Func{Task}, CancellationToken)"/>
    public async Task<TResult> ExecuteAsync<TResult>(Func<Task<TResult>> untilComplete, CancellationToken stoppingToken = default)
    {
        var result = default(TResult)!;
        await RunAsync(async () => result = await untilComplete(), stoppingToken);
        return result;
    }

    /// <summary>Releases what the worker holds.</summary>
    public void Dispose()
    {
        activityWorker?.Dispose();
        workflowWorker?.Dispose();
    }

    private async Task RunAsync(Func<Task>? untilComplete, CancellationToken stoppingToken)
    {
        if (Interlocked.Exchange(ref started, 1) != 0)
        {
            throw new InvalidOperationException("Already started");
        }
        await ValidateAsync(stoppingToken);
        using var shutdown = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var workers = new[] { workflowWorker?.RunAsync(shutdown.Token), activityWorker?.RunAsync(shutdown.Token) }.OfType<Task>().ToList();
        var user = untilComplete?.Invoke() ?? Task.Delay(Timeout.Infinite, shutdown.Token);
        var first = await Task.WhenAny([user, .. workers]);
        if (first != user && !shutdown.IsCancellationRequested)
        {
            logger.LogError(first.Exception, "Worker of task queue {TaskQueue} failed, shutting down", Options.TaskQueue);
        }
        await shutdown.CancelAsync();
        await Task.WhenAll(workers);
        stoppingToken.ThrowIfCancellationRequested();
        await user;
    }

    private async Task ValidateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Client.Connection.WorkflowService.CallPatientlyAsync(
                "DescribeNamespace",
                new Api.WorkflowService.V1.DescribeNamespaceRequest { Namespace = Client.Options.Namespace },
                Api.WorkflowService.V1.DescribeNamespaceResponse.Parser,
                new() { CancellationToken = cancellationToken, Timeout = TimeSpan.FromSeconds(10) });
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound or RpcException.StatusCode.PermissionDenied or RpcException.StatusCode.Unauthenticated)
        {
            throw new InvalidOperationException($"Worker validation failed: namespace {Client.Options.Namespace}: {e.Message}", e);
        }
    }
}
