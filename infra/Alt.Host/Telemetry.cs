using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Alt.Host;

/// <summary>Metrics and traces for a collector, as the standard <c>OTEL_*</c> variables say. Without them nothing listens and nothing is sent.</summary>
internal static class Telemetry
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <param name="service">The service's name, unless OTEL_SERVICE_NAME has another one.</param>
    /// <param name="variables">Default: those of the environment.</param>
    /// <returns>Sends what is left when it is disposed; null where no collector is named.</returns>
    public static IDisposable? Start(string service, IConfiguration? variables = null)
    {
        variables ??= new ConfigurationBuilder().AddEnvironmentVariables().Build();
        var (traces, metrics) = (IsWanted("TRACES", variables), IsWanted("METRICS", variables));
        return !traces && !metrics ? null : OpenTelemetrySdk.Create(telemetry =>
        {
            telemetry.Services.AddSingleton(variables);
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

    private static bool IsWanted(string signal, IConfiguration variables) =>
        !string.Equals(variables["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)
        && !string.Equals(variables[$"OTEL_{signal}_EXPORTER"], "none", StringComparison.OrdinalIgnoreCase)
        && (variables[Endpoint] is { Length: > 0 } || variables[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] is { Length: > 0 });
}
