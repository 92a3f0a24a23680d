using System.Net;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using TemporalServer.Persistence;
using TemporalServer.Queues;
using TemporalServer.Rpc;
using TemporalServer.Runtime;
using TemporalServer.Serving;
using TemporalServer.Timers;
using TemporalServer.Visibility;

namespace TemporalServer;

/// <summary>
/// A Temporal server in one process for one node: it speaks Temporal's gRPC API and keeps its state in PostgreSQL.
/// Disposing it ends all calls and releases the schema; the next server continues everything stored.
/// </summary>
public sealed class EmbeddedServer : IAsyncDisposable
{
    /// <summary>The purpose of the server, which it reports when it starts.</summary>
    public const string Purpose = "This server is for laptops and tests, not for production.";

    private readonly CancellationTokenSource _stopping = new();
    private readonly Database _database;
    private readonly TaskQueues _queues;
    private readonly List<Task> _loops = [];
    private WebApplication? _app;

    private EmbeddedServer(Database database, TaskQueues queues)
    {
        _database = database;
        _queues = queues;
    }

    /// <summary>The address that clients connect to, as <c>host:port</c>.</summary>
    public string Address { get; private set; } = "";

    /// <summary>The address of the HTTP API, as <c>host:port</c>; null if it was not asked for.</summary>
    public string? HttpAddress { get; private set; }

    /// <summary>Starts a server and returns when it answers and everything stored is loaded.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    /// <exception cref="Npgsql.NpgsqlException">PostgreSQL cannot be reached.</exception>
    /// <exception cref="TimeoutException">Another server owns the schema and does not end.</exception>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<EmbeddedServer> StartAsync(
        EmbeddedServerOptions options, CancellationToken cancellation = default, ILoggerFactory? loggers = null)
    {
        loggers ??= NullLoggerFactory.Instance;
        var clock = options.Clock;
        var database = await Database.OpenAsync(options.ConnectionString, options.Schema, cancellation);
        var queues = new TaskQueues(clock);
        var server = new EmbeddedServer(database, queues);
        try
        {
            await server.RunAsync(options, clock, loggers, cancellation);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync();
        _queues.EndAllPolls();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        await Task.WhenAll(_loops);
        await _database.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task RunAsync(EmbeddedServerOptions options, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellation)
    {
        ILogger logger = loggers.CreateLogger<EmbeddedServer>();
        var ownership = new Ownership(_database, logger);
        var alarms = new Alarms(clock);
        var watch = new RunWatch();
        var updates = new PendingUpdates();
        var queries = new PendingQueries();
        var pages = new HistoryPages(options.HistoryPageSize);
        var namespaces = new Namespaces(_database, options.Limits);
        var attributes = new SearchAttributeTypes(_database);
        var store = new ExecutionStore(_database);
        var executions = new Executions(store, ownership, _queues, alarms, watch, updates, options.Limits, clock, logger);
        var starter = new Starter(executions);
        var errands = new ErrandRunner(executions, starter, logger);
        var retention = new Retention(executions, store, namespaces, clock, logger);
        var polls = new LongPolls(_stopping.Token);
        var queryRpcs = new QueryRpcs(executions, _queues, queries, polls);
        executions.OnErrands = errands.Post;
        executions.OnStored = queryRpcs.OfferWaiting;

        await namespaces.LoadAsync(options.Namespace, cancellation);
        await attributes.LoadAsync(cancellation);
        _loops.Add(ownership.RunAsync(executions.RecoverAsync, _queues.EndAllPolls, _stopping.Token));
        _loops.Add(alarms.RunAsync(run => _ = executions.WakeAsync(run), _stopping.Token));
        _loops.Add(errands.RunAsync(_stopping.Token));
        await ownership.FirstHeld.WaitAsync(options.OwnershipTimeout, cancellation);
        _loops.Add(retention.RunAsync(_stopping.Token));

        await ListenAsync(options, loggers, cancellation, services =>
        {
            services.AddSingleton(
                new CallInterceptor(new RequestGate(namespaces), loggers.CreateLogger<CallInterceptor>(), _stopping.Token));
            services.AddSingleton(polls).AddSingleton(clock).AddSingleton(options.Limits);
            services.AddSingleton(executions).AddSingleton(starter).AddSingleton(_queues).AddSingleton(watch).AddSingleton(updates)
                .AddSingleton(queries).AddSingleton(pages).AddSingleton(namespaces).AddSingleton(attributes).AddSingleton(ownership);
            services.AddSingleton(queryRpcs).AddSingleton<UpdateRpcs>().AddSingleton<WorkerRpcs>();
            services.AddSingleton(new VisibilityStore(_database, attributes));
        });
        logger.LogInformation("Listening on {Address}. {Purpose}", Address, Purpose);
    }

    private async Task ListenAsync(
        EmbeddedServerOptions options, ILoggerFactory loggers, CancellationToken cancellation, Action<IServiceCollection> addHandlers)
    {
        var address = IPAddress.Parse(options.Host);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(address, options.Port, listen => Listen(listen, HttpProtocols.Http2, options.Tls));
            if (options.HttpPort is { } httpPort)
            {
                // A separate port: without TLS a port cannot tell HTTP/1 from HTTP/2.
                kestrel.Listen(address, httpPort, listen => Listen(listen, HttpProtocols.Http1, options.Tls));
            }

            // A worker keeps dozens of long polls open on one connection, each silent for a minute.
            kestrel.Limits.Http2.MaxStreamsPerConnection = 10_000;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
        });
        addHandlers(builder.Services);
        var grpc = builder.Services.AddGrpc(grpcOptions =>
        {
            grpcOptions.MaxReceiveMessageSize = CallGate.LargestMessage;
            grpcOptions.MaxSendMessageSize = null;
            // Refusals of unknown services use Temporal's wording.
            grpcOptions.IgnoreUnknownServices = true;
            grpcOptions.Interceptors.Add<CallInterceptor>();
        });
        if (options.HttpPort is not null)
        {
            grpc.AddJsonTranscoding(JsonApi.Configure);
        }

        _app = builder.Build();
        var gate = new CallGate(new ApiKeyCheck(options.ApiKey), options.AcceptCompression);
        _app.Use(gate.HandleAsync);
        _app.UseRouting();
        _app.Use(JsonApi.RestoreSlashesAsync);
        _app.MapGrpcService<ClientRpcs>();
        _app.MapGrpcService<ResetRpcs>();
        _app.MapGrpcService<MultiOperationRpcs>();
        _app.MapGrpcService<HistoryRpcs>();
        _app.MapGrpcService<WorkflowTaskRpcs>();
        _app.MapGrpcService<ActivityTaskRpcs>();
        _app.MapGrpcService<QueryRpcs>();
        _app.MapGrpcService<UpdateRpcs>();
        _app.MapGrpcService<TaskQueueRpcs>();
        _app.MapGrpcService<WorkerRpcs>();
        _app.MapGrpcService<NamespaceRpcs>();
        _app.MapGrpcService<VisibilityRpcs>();
        _app.MapGrpcService<AbsentRpcs>();
        _app.MapGrpcService<VersioningRpcs>();
        _app.MapGrpcService<OperatorRpcs>();
        _app.MapGrpcService<HealthRpcs>();
        _app.Map("/{**path}", gate.RefuseUnknownAsync);
        await _app.StartAsync(cancellation);
        string[] addresses = [.. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Select(url => url[(url.IndexOf("//", StringComparison.Ordinal) + 2)..])];
        Address = addresses[0];
        HttpAddress = addresses.ElementAtOrDefault(1);
    }

    private static void Listen(ListenOptions listen, HttpProtocols protocols, ServerTls? tls)
    {
        listen.Protocols = protocols;
        if (tls is not null)
        {
            listen.UseHttps(tls.Apply);
        }
    }
}
