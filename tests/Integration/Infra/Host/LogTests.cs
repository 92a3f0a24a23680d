using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed class LogTests(FinishedRun calm)
{
    private static readonly string[] Activities =
        ["Import", "Pretrain", "Draw", "Sample", "Collect", "Update", "Select", "Train", "Evaluate", "FinishIteration"];

    private static readonly string[] Metrics =
    [
        "alt.activity.duration", "alt.activity.queue_time", "alt.sampling.tokens", "alt.sampling.throughput", "alt.feedback.samples",
        "alt.training.tokens", "alt.training.throughput", "alt.training.loss", "alt.training.kl",
    ];

    [Fact]
    public async Task A_run_tells_its_log_the_user_and_a_collector_what_each_stage_does()
    {
        await using var collector = await OtlpCollector.StartAsync();
        await using var installation = new Installation();
        installation.Variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address;
        installation.Variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";

        var end = await installation.RunAsync("run", installation.Config, "--run-id", "told", "--json", "--verbose", "--log-json");

        Assert.True(end.ExitCode == 0, end.Errors);
        // Standard output holds only the report, and watching the run changes nothing.
        Assert.Equal(calm.Report.WeightsHash, JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!.WeightsHash);

        var log = (await File.ReadAllLinesAsync(Path.Combine(installation.Home, "logs", "worker.log"))).Select(Entry).ToArray();
        var sampled = Assert.Single(log, e => Says(e, "Sample", "Sampled ") && Number(e, "Iteration") == 2 && Number(e, "Chunk") == 1);
        Assert.Equal(("told", "Sampling"), (Text(sampled, "Run"), Text(sampled, "Stage")));
        Assert.True(Number(sampled, "Tokens") > 0);
        foreach (var activity in Activities)
        {
            Assert.Contains(log, e => Says(e, activity, "begins, attempt 1"));
            Assert.Contains(log, e => Says(e, activity, "ended after"));
        }

        // The user sees the worker's messages too.
        Assert.Contains(end.Errors.Split('\n'), line => line.StartsWith('{') && Says(Entry(line), "Train", "Trained on"));

        Assert.Superset(Metrics.ToHashSet(), collector.Points.Where(p => p.Service == "alt-worker").Select(p => p.Metric).ToHashSet());
        var span = Assert.Single(
            collector.Spans, s => s.Name == "Sampling/Sample" && s.Tags["alt.iteration"] == "2" && s.Tags["alt.chunk"] == "1");
        Assert.Equal(("told", "Sampling", "done"), (span.Tags["alt.run"], span.Tags["alt.stage"], span.Tags["alt.outcome"]));
    }

    [Fact]
    public async Task A_log_is_text_for_people_unless_it_is_asked_to_be_JSON()
    {
        var log = await File.ReadAllTextAsync(Path.Combine(calm.Installation.Home, "logs", "worker.log"));

        Assert.Contains($"[INF] Sampling/Sample begins, attempt 1", log, StringComparison.Ordinal);
        Assert.Contains($"[{FinishedRun.Id}, iteration 1, chunk 1]", log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ALT_LOG", "loud", "expected debug, information, warning, error")]
    [InlineData("ALT_LOG_FORMAT", "xml", "expected text or json")]
    public async Task A_setting_that_means_nothing_is_one_line(string variable, string value, string expected)
    {
        await using var installation = new Installation();
        installation.Variables[variable] = value;

        var end = await installation.RunAsync("server");

        Assert.Equal(2, end.ExitCode);
        Assert.Equal($"alt: {variable}={value}: {expected}", end.OnlyLine);
    }

    private static JsonElement Entry(string line) => JsonDocument.Parse(line).RootElement;

    private static bool Says(JsonElement entry, string activity, string words) =>
        Text(entry, "Activity") == activity && Text(entry, "@m").Contains(words, StringComparison.Ordinal);

    private static string Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static long Number(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : -1;
}
