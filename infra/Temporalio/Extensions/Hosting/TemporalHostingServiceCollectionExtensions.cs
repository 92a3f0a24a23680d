using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Temporalio.Client;

namespace Temporalio.Extensions.Hosting;

/// <summary>Clients and workers in a generic host.</summary>
public static class TemporalHostingServiceCollectionExtensions
{
    /// <summary>Adds a client as singleton; its connection is made with the first call.</summary>
    /// <param name="services">Services.</param>
    /// <param name="clientTargetHost">Host and port; may be set by options instead.</param>
    /// <param name="clientNamespace">Namespace; may be set by options instead.</param>
    public static OptionsBuilder<TemporalClientConnectOptions> AddTemporalClient(
        this IServiceCollection services, string? clientTargetHost = null, string? clientNamespace = null)
    {
        services.TryAddSingleton<ITemporalClient>(provider => TemporalClient.CreateLazy(provider.GetRequiredService<IOptions<TemporalClientConnectOptions>>().Value));
        return services.AddOptions<TemporalClientConnectOptions>().Configure<IServiceProvider>((options, provider) =>
        {
            options.TargetHost = clientTargetHost ?? options.TargetHost;
            options.Namespace = clientNamespace ?? options.Namespace;
            options.LoggerFactory = provider.GetService<ILoggerFactory>() ?? options.LoggerFactory;
        });
    }

    /// <summary>Adds a client as singleton; its connection is made with the first call.</summary>
    public static OptionsBuilder<TemporalClientConnectOptions> AddTemporalClient(this IServiceCollection services, Action<TemporalClientConnectOptions> configureClient) =>
        services.AddTemporalClient().Configure(configureClient);

    /// <summary>Adds a worker that runs with the host, with the client of the services.</summary>
    public static ITemporalWorkerServiceOptionsBuilder AddHostedTemporalWorker(this IServiceCollection services, string taskQueue)
    {
        services.AddOptions<TemporalWorkerServiceOptions>(taskQueue).Configure<IServiceProvider>((options, provider) =>
        {
            options.TaskQueue = taskQueue;
            options.LoggerFactory ??= provider.GetService<ILoggerFactory>();
        });
        services.AddSingleton<IHostedService>(provider => new TemporalWorkerService(
            provider.GetRequiredService<IOptionsMonitor<TemporalWorkerServiceOptions>>().Get(taskQueue), provider.GetService<ITemporalClient>()));
        return new TemporalWorkerServiceOptionsBuilder(taskQueue, services);
    }

    /// <summary>Adds a worker that runs with the host, with a client of its own.</summary>
    public static ITemporalWorkerServiceOptionsBuilder AddHostedTemporalWorker(
        this IServiceCollection services, string clientTargetHost, string clientNamespace, string taskQueue) =>
        services.AddHostedTemporalWorker(taskQueue).ConfigureOptions(options => options.ClientOptions = new(clientTargetHost) { Namespace = clientNamespace });
}
