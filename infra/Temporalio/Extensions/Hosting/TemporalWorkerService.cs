using Microsoft.Extensions.Hosting;
using Temporalio.Client;
using Temporalio.Worker;

namespace Temporalio.Extensions.Hosting;

/// <summary>Options of a hosted worker.</summary>
public class TemporalWorkerServiceOptions : TemporalWorkerOptions
{
    /// <summary>Options without a task queue.</summary>
    public TemporalWorkerServiceOptions()
    {
    }

    /// <summary>Options for a task queue.</summary>
    public TemporalWorkerServiceOptions(string taskQueue)
        : base(taskQueue)
    {
    }

    /// <summary>Options of a client of the worker's own. Default: the client of the services.</summary>
    public TemporalClientConnectOptions? ClientOptions { get; set; }
}

/// <summary>A worker as a service of a generic host.</summary>
public class TemporalWorkerService : BackgroundService
{
    private readonly TemporalWorkerServiceOptions options;
    private readonly ITemporalClient? client;

    /// <summary>Creates the service.</summary>
    /// <param name="options">Options.</param>
    /// <param name="existingClient">Client, where the options hold none.</param>
    public TemporalWorkerService(TemporalWorkerServiceOptions options, ITemporalClient? existingClient = null) => (this.options, client) = (options, existingClient);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Lazy, so that a server that is not up yet is waited for.
        var worksFor = options.ClientOptions is { } own ? TemporalClient.CreateLazy(own)
            : client ?? throw new InvalidOperationException("A hosted worker needs AddTemporalClient, or client options of its own");
        using var worker = new TemporalWorker(worksFor, options);
        await worker.ExecuteAsync(stoppingToken);
    }
}
