using Microsoft.Extensions.Logging;
using Temporalio.Client;

namespace Temporalio.Worker;

/// <summary>
/// Runs workflows and activities of one task queue. Needs no server while it runs: a lost one is waited for, and what has been worked out
/// meanwhile is handed in when it is back.
/// </summary>
public sealed class TemporalWorker : IDisposable
{
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
        // Names that are registered twice are found now rather than when the worker runs.
        _ = new ActivityRegistry(Options.Activities);
        _ = new WorkflowRegistry(Options.Workflows);
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

    /// <summary>Does nothing while the worker runs, and there is nothing left to release afterwards.</summary>
    public void Dispose() => GC.SuppressFinalize(this);

    private async Task RunAsync(Func<Task>? untilComplete, CancellationToken stoppingToken)
    {
        if (Interlocked.Exchange(ref started, 1) != 0)
        {
            throw new InvalidOperationException("Already started");
        }
        using var lifetime = new WorkerLifetime(Client, Options, stoppingToken);
        var activities = new ActivityRegistry(Options.Activities);
        using var activityWorker = Options.Activities.Count > 0 && !Options.LocalActivityWorkerOnly
            ? new ActivityWorker(Client, Options, lifetime, activities)
            : null;
        using var workflowWorker = Options.Workflows.Count > 0
            ? new WorkflowWorker(Client, Options, lifetime, new WorkflowRegistry(Options.Workflows), activities, activityWorker)
            : null;
        await lifetime.StartAsync();
        var workers = new[] { workflowWorker?.RunAsync(), activityWorker?.RunAsync() }.OfType<Task>().ToList();
        var user = untilComplete?.Invoke() ?? Task.Delay(Timeout.Infinite, lifetime.Stopping);
        var first = await Task.WhenAny([user, .. workers]);
        if (first != user && !lifetime.Stopping.IsCancellationRequested)
        {
            logger.LogError(first.Exception, "Worker of task queue {TaskQueue} failed, shutting down", Options.TaskQueue);
        }
        await lifetime.StopAsync(logger);
        await Task.WhenAll(workers);
        stoppingToken.ThrowIfCancellationRequested();
        await user;
    }
}
