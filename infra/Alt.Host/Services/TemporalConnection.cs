using System.Collections;
using System.Runtime.CompilerServices;
using Alt.Domain;
using Alt.Host.Supervisor;
using Alt.Infra;
using Alt.Infra.Temporal;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Temporalio.Client;
using Temporalio.Common.EnvConfig;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Runtime;

namespace Alt.Host;

/// <summary>Connections to the home's Temporal server.</summary>
internal static class TemporalConnection
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Encrypts where <see cref="AesGcmPayloadCodec.Variable"/> holds keys.</summary>
    private static readonly Lazy<DataConverter> Converter = new(() => AltPayloads.Converter with { PayloadCodec = Codec() });

    // A runtime has threads of its own, so what logs to the same place shares one.
    private static readonly ConditionalWeakTable<ILoggerFactory, TemporalRuntime> Runtimes = [];

    /// <summary>Connects to the server that the home's processes use now; waits for it while it is being started.</summary>
    /// <param name="broken">Ends the wait when the server cannot come up.</param>
    /// <param name="metrics">Where the metrics of Temporal's own core go; null for nowhere.</param>
    /// <exception cref="InputException">The settings of an outside server cannot work, or it refuses this client.</exception>
    public static async Task<TemporalClient> ConnectAsync(
        AltHome home, ILoggerFactory logs, Task broken, CancellationToken token, MetricsOptions? metrics = null)
    {
        var runtime = metrics is null ? RuntimeOf(logs) : NewRuntime(logs, metrics);
        var log = logs.CreateLogger(nameof(TemporalConnection));
        string? said = null;
        var patiently = new ResiliencePipelineBuilder<TemporalClient?>().AddRetry(new RetryStrategyOptions<TemporalClient?>
        {
            MaxRetryAttempts = int.MaxValue,
            Delay = Pause,
            ShouldHandle = static a => ValueTask.FromResult(
                a.Outcome is { Exception: null, Result: null } or { Exception: InvalidOperationException or RpcException }),
            OnRetry = a =>
            {
                // Logs a reason once for as long as it stays the same.
                var reason = a.Outcome.Exception?.Message ?? "it has not been started yet";
                if (reason != said)
                {
                    log.LogInformation("Waiting for the Temporal server: {Reason}", reason);
                    said = reason;
                }

                return default;
            },
        }).Build();

        return (await patiently.ExecuteAsync(
            async t =>
            {
                if (TemporalEndpoint.Read(home) is not { } endpoint)
                {
                    await RefuseAsync(broken);
                    return null;
                }

                var connecting = ConnectAsync(endpoint, logs, runtime);
                await Task.WhenAny(connecting, broken).WaitAsync(t);
                await RefuseAsync(broken);
                return await connecting;
            },
            token))!;

        static Task RefuseAsync(Task broken) => broken.IsCompleted ? broken : Task.CompletedTask;
    }

    /// <summary>The settings of <c>TEMPORAL_*</c> and of the profile file.</summary>
    /// <param name="from">Other places to look for them.</param>
    /// <exception cref="InputException">They cannot be read.</exception>
    public static TemporalClientConnectOptions OutsideOptions(ClientEnvConfig.ProfileLoadOptions? from = null)
    {
        from ??= new();
        // The core would read the environment that the process began with, and miss what a flag has set since.
        from.OverrideEnvVars ??= Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
        try
        {
            return ClientEnvConfig.LoadClientConnectOptions(from);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new InputException($"the settings of the Temporal server cannot be used: {Messages.OneLine(e.Message)}", e);
        }
    }

    /// <summary>
    /// A runtime of Temporal's core that logs to <paramref name="logs"/>. Without one the core writes to standard output, which is for
    /// results.
    /// </summary>
    public static TemporalRuntime RuntimeOf(ILoggerFactory logs) => Runtimes.GetValue(logs, static l => NewRuntime(l, metrics: null));

    // An outside server's other settings (namespace, TLS, API key) come from where all of Temporal's tools read them.
    private static async Task<TemporalClient> ConnectAsync(TemporalEndpoint endpoint, ILoggerFactory logs, TemporalRuntime runtime)
    {
        var options = endpoint.Outside ? OutsideOptions() : new();
        options.TargetHost = endpoint.Address;
        options.DataConverter = Converter.Value;
        options.LoggerFactory = logs;
        options.Runtime = runtime;
        try
        {
            return await TemporalClient.ConnectAsync(options);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            throw new InputException(
                $"the Temporal server {endpoint.Address} refuses this client ({Messages.OneLine(e.Message)}): expected its key in "
                    + "TEMPORAL_API_KEY, or a profile that has it",
                e);
        }
        catch (Exception e) when (IsMisconfigured(e))
        {
            throw new InputException(
                $"no connection to the Temporal server {endpoint.Address} is possible with these settings "
                    + $"({Messages.OneLine(e.Message)}): see TEMPORAL_TLS_…, or the profile",
                e);
        }
    }

    // The first call of a connection is made by the core, which passes on its failure as text.
    private static bool IsRefusal(Exception e) =>
        e is InvalidOperationException && Says(e, "code: Unauthenticated", "code: PermissionDenied");

    // An unusable certificate or key, TLS with a server that has none, an invalid address. An unreachable server gives
    // "ConnectError".
    private static bool IsMisconfigured(Exception e) => e is ArgumentException
        || (e is InvalidOperationException && Says(e, "kind: InvalidData", "private key", "NoCertificatesPresented", "Invalid options"));

    private static bool Says(Exception e, params string[] words) => words.Any(w => e.Message.Contains(w, StringComparison.Ordinal));

    private static TemporalRuntime NewRuntime(ILoggerFactory logs, MetricsOptions? metrics)
    {
        var options = new TemporalRuntimeOptions(new TelemetryOptions
        {
            Logging = new LoggingOptions { Forwarding = new LogForwardingOptions(logs.CreateLogger("Temporalio.Core")) },
            Metrics = metrics,
        });
        try
        {
            return new TemporalRuntime(options);
        }
        catch (InvalidOperationException e) when (metrics is not null)
        {
            var flag = metrics.Prometheus is { } prometheus ? $"{WorkerFlags.PrometheusName} {prometheus.BindAddress}" : WorkerFlags.OtlpName;
            throw new InputException($"{flag}: {Messages.OneLine(e.Message)}", e);
        }
    }

    private static AesGcmPayloadCodec? Codec()
    {
        try
        {
            return AesGcmPayloadCodec.FromEnvironment();
        }
        catch (ArgumentException e)
        {
            throw new InputException($"{AesGcmPayloadCodec.Variable}: {e.Message}", e);
        }
    }
}
