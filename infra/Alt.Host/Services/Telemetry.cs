using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Alt.Host;

/// <summary>
/// Metrics and traces for a collector, as the standard <c>OTEL_*</c> variables say. Without them nothing listens and nothing is sent.
/// </summary>
internal sealed class Telemetry : IDisposable
{
    private readonly OpenTelemetrySdk[] _signals;

    private Telemetry(OpenTelemetrySdk[] signals) => _signals = signals;

    /// <param name="service">The service's name, unless OTEL_SERVICE_NAME has another one.</param>
    /// <param name="variables">Default: those of the environment.</param>
    /// <returns>Sends what is left when it is disposed; null where no collector is named.</returns>
    public static Telemetry? Start(string service, IConfiguration? variables = null)
    {
        variables ??= new ConfigurationBuilder().AddEnvironmentVariables().Build();
        OpenTelemetrySdk[] signals =
        [
            .. Wanted("TRACES", service, variables, (sdk, export) =>
                sdk.WithTracing(tracing => tracing.AddSource("Alt.*").AddNpgsql().AddOtlpExporter(export))),
            .. Wanted("METRICS", service, variables, (sdk, export) =>
                sdk.WithMetrics(metrics => metrics.AddMeter("Alt.*", "Npgsql").AddOtlpExporter(export))),
        ];
        return signals.Length == 0 ? null : new Telemetry(signals);
    }

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
    }

    // Each signal has an SDK of its own: an exporter for all of them would send empty requests for one that is off.
    private static IEnumerable<OpenTelemetrySdk> Wanted(
        string signal, string service, IConfiguration variables, Action<IOpenTelemetryBuilder, Action<OtlpExporterOptions>> add)
    {
        var own = variables[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] is { Length: > 0 } address ? new Uri(address) : null;
        if (Is(variables["OTEL_SDK_DISABLED"], "true") || Is(variables[$"OTEL_{signal}_EXPORTER"], "none")
            || own is null && variables["OTEL_EXPORTER_OTLP_ENDPOINT"] is null or "")
        {
            yield break;
        }

        yield return OpenTelemetrySdk.Create(sdk =>
        {
            sdk.Services.AddSingleton(ForSignal(signal, variables));
            // After the default name, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES override it.
            sdk.ConfigureResource(resource => resource.AddService(service).AddEnvironmentVariableDetector());
            add(sdk, options =>
            {
                // If set, it is the whole address; the signal's path is only added to the address for all signals.
                if (own is not null)
                {
                    options.Endpoint = own;
                }
            });
        });
    }

    /// <summary>The variables, where those of a signal replace those for all signals: its exporter reads only these.</summary>
    private static IConfiguration ForSignal(string signal, IConfiguration variables) => new ConfigurationBuilder()
        .AddConfiguration(variables)
        .AddInMemoryCollection(new[] { "PROTOCOL", "HEADERS", "TIMEOUT", "COMPRESSION" }
            .Select(name => KeyValuePair.Create($"OTEL_EXPORTER_OTLP_{name}", variables[$"OTEL_EXPORTER_OTLP_{signal}_{name}"]))
            .Where(own => own.Value is { Length: > 0 }))
        .Build();

    private static bool Is(string? value, string word) => string.Equals(value, word, StringComparison.OrdinalIgnoreCase);
}
