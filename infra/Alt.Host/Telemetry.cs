using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Alt.Host;

/// <summary>Metrics and traces for a collector, as the standard <c>OTEL_*</c> variables say. Without them nothing listens and nothing is sent.</summary>
internal static class Telemetry
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <param name="service">The service's name, unless OTEL_SERVICE_NAME has another one.</param>
    /// <returns>Sends what is left when it is disposed; null where no collector is named.</returns>
    public static IDisposable? Start(string service)
    {
        var (traces, metrics) = (IsWanted("TRACES"), IsWanted("METRICS"));
        return !traces && !metrics ? null : OpenTelemetrySdk.Create(telemetry =>
        {
            // After the default name, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES count over it.
            telemetry.ConfigureResource(resource => resource.AddService(service).AddEnvironmentVariableDetector());
            telemetry.UseOtlpExporter();
            if (traces)
            {
                telemetry.WithTracing(tracing => tracing.AddSource("Alt.*").AddNpgsql());
            }

            if (metrics)
            {
                telemetry.WithMetrics(meters => meters.AddMeter("Alt.*", "Npgsql"));
            }
        });
    }

    private static bool IsWanted(string signal) =>
        !string.Equals(Variable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase)
        && !string.Equals(Variable($"OTEL_{signal}_EXPORTER"), "none", StringComparison.OrdinalIgnoreCase)
        && (Variable(Endpoint) ?? Variable($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")) is not null;

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
