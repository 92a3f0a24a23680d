using System.Diagnostics;
using System.Diagnostics.Metrics;
using Alt.Activities;
using Alt.Domain;
using Alt.Host;
using Alt.Model.Training;
using Alt.Tests.Infra.Calls;
using Microsoft.Extensions.Configuration;

namespace Alt.Tests.Infra.Host;

public sealed class TelemetryTests : CallsTest
{
    // The listeners of a process hear all of it; other tests have runs of other names.
    private readonly string _run = $"run-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_collector_gets_the_stages_metrics_by_the_standard_variables()
    {
        await using var collector = await OtlpCollector.StartAsync();
        var variables = Variables(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Address),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_SERVICE_NAME", "mine"));
        using (Telemetry.Start("alt-test", variables))
        {
            StageTelemetry.Sampled(_run, new(Stage.Sampling, 0, new ArtifactRef("hash", 1, "jsonl"), 4, Tokens: 640, Seconds: 2));
            StageTelemetry.Judged(_run, new("rules", "hash", Labelled: 5, Abstained: 1, Unparsed: 0, Failed: 2, 0.5, 1));
            var elapsed = TimeSpan.FromSeconds(2);
            TrainingTelemetry.Record(_run, new StepMetrics(1, Loss: 2.5, Nll: 2.4, Kl: 0.3, 1.5, 0.7, 1e-3, Tokens: 320, 200, elapsed));
            var service = new ScriptedTransport(_ => ScriptedTransport.Ok());
            await AskAsync(service, scope: Scope(_run));
            await AskAsync(service, scope: Scope(_run), payer: "another");
        }

        double Value(string metric, string unit, string tag = "alt.run", string? value = null) => Assert.Single(
            collector.Points.Where(p => (p.Service, p.Metric, p.Unit) == ("mine", metric, unit)),
            p => p.Tags.GetValueOrDefault("alt.run") == _run && p.Tags[tag] == (value ?? _run)).Value;
        Assert.Equal(640, Value("alt.sampling.tokens", "{token}", "alt.stage", "Sampling"));
        Assert.Equal(320, Value("alt.sampling.throughput", "{token}/s"));
        Assert.Equal(5, Value("alt.feedback.samples", "{sample}", "alt.outcome", "labelled"));
        Assert.Equal(2, Value("alt.feedback.samples", "{sample}", "alt.outcome", "failed"));
        Assert.Equal(320, Value("alt.training.tokens", "{token}"));
        Assert.Equal(160, Value("alt.training.throughput", "{token}/s"));
        Assert.Equal(2.5, Value("alt.training.loss", "{nat}"));
        Assert.Equal(0.3, Value("alt.training.kl", "{nat}"));
        Assert.Equal(1, Value("alt.judge.calls", "{call}", "alt.outcome", "answered"));
        Assert.Equal(1, Value("alt.judge.calls", "{call}", "alt.outcome", "cached"));
        Assert.Equal(15, Value("alt.judge.cost", "{USD}"));
        Assert.Equal(10, Value("alt.judge.tokens", "{token}", "alt.direction", "input"));
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", true, false)]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", false, true)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", true, true)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", true, false, "OTEL_METRICS_EXPORTER", "none")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", false, false, "OTEL_SDK_DISABLED", "true")]
    [InlineData("OTEL_SERVICE_NAME", false, false)]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", true, false, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf", "grpc")]
    public async Task Only_what_the_variables_name_is_listened_to_and_sent(
        string variable, bool traces, bool metrics, string other = "", string value = "", string protocol = "http/protobuf")
    {
        await using var collector = await OtlpCollector.StartAsync();
        // The variable of one signal has the whole address.
        var path = variable.EndsWith("TRACES_ENDPOINT", StringComparison.Ordinal) ? "/v1/traces"
            : variable.EndsWith("METRICS_ENDPOINT", StringComparison.Ordinal) ? "/v1/metrics"
            : "";
        using var source = new ActivitySource(StageTelemetry.Name);
        using var meter = new Meter(StageTelemetry.Name);
        var counter = meter.CreateCounter<long>("alt.test");
        var variables = Variables((variable, collector.Address + path), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol), (other, value));
        using (var telemetry = Telemetry.Start("alt-test", variables))
        {
            Assert.Equal(traces || metrics, telemetry is not null);
            Assert.Equal((traces, metrics), (source.HasListeners(), counter.Enabled));
            source.StartActivity("span")?.Dispose();
            counter.Add(1);
        }

        Assert.Equal((traces, metrics), (collector.Spans.Any(s => s.Name == "span"), collector.Points.Any(p => p.Metric == "alt.test")));
        Assert.Equal((traces, metrics), (collector.Paths.Contains("/v1/traces"), collector.Paths.Contains("/v1/metrics")));
        Assert.False(source.HasListeners() || counter.Enabled);
    }

    private static IConfiguration Variables(params (string Name, string Value)[] variables) => new ConfigurationBuilder()
        .AddInMemoryCollection(variables.Where(v => v.Name.Length > 0).ToDictionary(v => v.Name, v => (string?)v.Value))
        .Build();
}
