using Alt.Activities;
using Alt.Activities.Feedback;
using Alt.Infra;
using Alt.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Temporalio.Client;
using Temporalio.Extensions.Hosting;
using Temporalio.Worker.Tuning;

namespace Alt.Host;

/// <summary>
/// The composition root of everything that works: a host with one Temporal worker per task queue, over one set of activities.
/// </summary>
internal static class Worker
{
    /// <summary>Works until the token ends it.</summary>
    public static async Task RunAsync(
        ITemporalClient client, LedgerConnection record, AltHome home, ILoggerFactory logs, WorkerSettings settings, Action ready,
        CancellationToken token)
    {
        await using var calls = await record.OpenCallsAsync(logs, token);
        // The host ends with the models, and it does so when all queues have ended.
        using var host = Build(logs, services =>
        {
            services.AddSingleton(client);
            services.AddSingleton(record.Ledger);
            services.AddSingleton(calls);
            services.AddSingleton(new ArtifactStore(home.Artifacts));
            services.AddSingleton(s => new Policies(s.GetRequiredService<ArtifactStore>(), home.Models));
            services.AddSingleton<Classifiers>();
            services.AddSingleton<Checkpoints>();
            services.AddSingleton<Judges>();
            AddQueue(services, TaskQueues.Main, settings).AddWorkflow<AltRunWorkflow>().AddWorkflow<IterationWorkflow>();
            AddQueue(services, TaskQueues.Gpu, settings);
            AddQueue(services, TaskQueues.Feedback, settings);
        });
        await UntilOneEndsAsync(host, ready, token);
    }

    /// <summary>A host for parts that work until they are stopped, each a <see cref="BackgroundService"/>.</summary>
    internal static IHost Build(ILoggerFactory logs, Action<IServiceCollection> add)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.ConfigureContainer(new DefaultServiceProviderFactory(new() { ValidateOnBuild = true, ValidateScopes = true }));
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, CommandsLifetime>();
        builder.Services.Configure<HostOptions>(options =>
        {
            options.ServicesStopConcurrently = true;
            // A stopped activity still runs to its end; what it uses must not be disposed before.
            options.ShutdownTimeout = Timeout.InfiniteTimeSpan;
        });
        add(builder.Services);
        return builder.Build();
    }

    /// <summary>
    /// Runs the parts of a host until the first ends, for whatever reason: then the others are stopped and waited for. The supervisor
    /// starts the process again.
    /// </summary>
    internal static async Task UntilOneEndsAsync(IHost host, Action ready, CancellationToken token)
    {
        BackgroundService[] parts = [.. host.Services.GetServices<IHostedService>().OfType<BackgroundService>()];
        await host.StartAsync(token);
        ready();
        Task[] working = [.. parts.Select(p => p.ExecuteTask!)];
        var first = await Task.WhenAny([.. working, StopAsync(token)]);
        await host.StopAsync(CancellationToken.None);
        // The failure of the first part is the cause, so it is thrown before those of the others.
        await first;
        await Task.WhenAll(working);
    }

    private static ITemporalWorkerServiceOptionsBuilder AddQueue(IServiceCollection services, string queue, WorkerSettings settings) =>
        services
            .AddHostedTemporalWorker(queue)
            .ConfigureOptions(options =>
            {
                options.MaxConcurrentActivities = settings.Slots[queue];
                options.ActivityTaskPollerBehavior = new PollerBehavior.SimpleMaximum(settings.Pollers[queue]);
                options.MaxConcurrentWorkflowTasks = settings.Slots[WorkerSettings.Workflows];
                options.WorkflowTaskPollerBehavior = new PollerBehavior.SimpleMaximum(settings.Pollers[WorkerSettings.Workflows]);
                options.MaxCachedWorkflows = settings.CachedWorkflows;
                // A killed worker's workflows go to the next one after this long.
                options.StickyQueueScheduleToStartTimeout = TimeSpan.FromSeconds(2);
                options.MaxHeartbeatThrottleInterval = TimeSpan.FromSeconds(1);
                options.GracefulShutdownTimeout = TimeSpan.FromSeconds(2);
                options.Interceptors = [new ActivityInterceptor()];
            })
            .AddSingletonActivities<PromptsActivities>()
            .AddSingletonActivities<SamplingActivities>()
            .AddSingletonActivities<FeedbackActivities>()
            .AddSingletonActivities<DataPoolActivities>()
            .AddSingletonActivities<SelectionActivities>()
            .AddSingletonActivities<TrainingActivities>()
            .AddSingletonActivities<EvaluationActivities>()
            .AddSingletonActivities<ReportActivities>();

    private static Task StopAsync(CancellationToken token) => Task.Delay(Timeout.Infinite, token);

    /// <summary>Signals are the command's to handle: a supervised worker ends with its parent, and not by a Ctrl-C that both get.</summary>
    private sealed class CommandsLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
