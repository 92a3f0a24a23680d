using System.Diagnostics;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Temporalio.Client.Grpc;
using Temporalio.Common;
using Temporalio.Exceptions;

namespace Temporalio.Client;

/// <summary>A connection to a server; shared by clients and workers.</summary>
public interface ITemporalConnection
{
    /// <summary>Raw gRPC calls: workflows, task queues, namespaces.</summary>
    WorkflowService WorkflowService { get; }

    /// <summary>Raw gRPC calls: cluster and search attributes.</summary>
    OperatorService OperatorService { get; }

    /// <summary>The options.</summary>
    TemporalConnectionOptions Options { get; }

    /// <summary>Whether the server has been reached.</summary>
    bool IsConnected { get; }

    /// <summary>Reaches the server; does nothing where it has been reached.</summary>
    /// <exception cref="RpcException">It cannot be reached.</exception>
    Task ConnectAsync();

    /// <summary>Asks a service of the server whether it is healthy.</summary>
    Task<bool> CheckHealthAsync(RpcService? service = null, RpcOptions? options = null);
}

/// <inheritdoc cref="ITemporalConnection"/>
public sealed class TemporalConnection : ITemporalConnection
{
    private readonly GrpcChannel channel;
    private readonly ServerWatch watch;
    private readonly KeyValuePair<string, string>[] headers;

    private TemporalConnection(TemporalConnectionOptions options)
    {
        Options = (TemporalConnectionOptions)options.Clone();
        Options.Identity ??= $"{Environment.ProcessId}@{Environment.MachineName}";
        var host = Options.TargetHost ?? throw new ArgumentException("TargetHost is required");
        // An API key must not travel over a network in the clear.
        var tls = Options.Tls ?? (Options.ApiKey is null || Address(host, tls: false).IsLoopback ? null : new TlsOptions());
        var address = Address(host, tls is not null);
        channel = new GrpcChannel(address, tls, Options.KeepAlive);
        watch = new ServerWatch((Options.ConnectionLoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Temporalio.Connection"), address.Authority);
        headers = Headers(Options).ToArray();
        WorkflowService = new(this);
        OperatorService = new(this);
        HealthService = new(this);
    }

    /// <inheritdoc/>
    public WorkflowService WorkflowService { get; }

    /// <inheritdoc/>
    public OperatorService OperatorService { get; }

    /// <inheritdoc/>
    public TemporalConnectionOptions Options { get; }

    /// <inheritdoc/>
    public bool IsConnected { get; private set; }

    internal HealthService HealthService { get; }

    /// <summary>Connects to a server.</summary>
    /// <exception cref="RpcException">It cannot be reached.</exception>
    public static async Task<TemporalConnection> ConnectAsync(TemporalConnectionOptions options)
    {
        var connection = new TemporalConnection(options);
        await connection.ConnectAsync();
        return connection;
    }

    /// <summary>A connection that is made with the first call.</summary>
    public static TemporalConnection CreateLazy(TemporalConnectionOptions options) => new(options);

    /// <inheritdoc/>
    public async Task ConnectAsync()
    {
        if (!IsConnected)
        {
            try
            {
                await WorkflowService.GetSystemInfoAsync(new(), new() { Retry = true, Timeout = TimeSpan.FromSeconds(10) });
            }
            catch (RpcException e) when (e.Code == RpcException.StatusCode.Unimplemented)
            {
                // Servers before 1.13 lack the method; they are reached all the same.
            }
            IsConnected = true;
        }
    }

    /// <inheritdoc/>
    public async Task<bool> CheckHealthAsync(RpcService? service = null, RpcOptions? options = null)
    {
        var response = await HealthService.CheckAsync(new() { Service = (service ?? WorkflowService).FullName }, options);
        return response.Status == global::Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.Serving;
    }

    internal async Task<T> CallAsync<T>(
        string path, IMessage request, MessageParser<T> parser, RpcOptions? options, Polly.ResiliencePipeline? retry = null)
        where T : IMessage<T>
    {
        var cancellationToken = options?.CancellationToken ?? CancellationToken.None;
        var allHeaders = options?.Metadata is { } metadata ? headers.Concat(metadata) : headers;
        retry ??= options?.Retry == true ? RpcRetry.Briefly : Polly.ResiliencePipeline.Empty;
        try
        {
            return await retry.ExecuteAsync(
                async token =>
                {
                    var began = Stopwatch.GetTimestamp();
                    var operation = new KeyValuePair<string, object?>("operation", path[(path.LastIndexOf('/') + 1)..]);
                    Telemetry.Requests.Add(1, operation);
                    try
                    {
                        var response = await channel.CallAsync(path, request, parser, allHeaders, options?.Timeout, token);
                        watch.Succeeded();
                        return response;
                    }
                    catch (RpcException e)
                    {
                        Telemetry.RequestFailures.Add(1, operation, new("status_code", e.Code.ToString()));
                        watch.Failed(e);
                        throw;
                    }
                    finally
                    {
                        Telemetry.RequestLatency.Record(Stopwatch.GetElapsedTime(began).TotalMilliseconds, operation);
                    }
                },
                cancellationToken);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException($"Call of {path} was cancelled", e, cancellationToken);
        }
    }

    private static Uri Address(string targetHost, bool tls) =>
        Uri.TryCreate($"{(tls ? "https" : "http")}://{targetHost}", UriKind.Absolute, out var address) && address.PathAndQuery == "/"
            ? address
            : throw new ArgumentException($"'{targetHost}' is no address; expected host:port, such as localhost:7233");

    private static IEnumerable<KeyValuePair<string, string>> Headers(TemporalConnectionOptions options)
    {
        yield return new("client-name", "temporal-dotnet");
        yield return new("client-version", "1.9.0");
        if (options.ApiKey is { } key)
        {
            yield return new("authorization", $"Bearer {key}");
        }
        foreach (var header in options.RpcMetadata ?? [])
        {
            yield return header;
        }
    }
}
