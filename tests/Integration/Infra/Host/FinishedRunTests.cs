using System.Text.Json;
using System.Text.RegularExpressions;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed partial class FinishedRunTests(FinishedRun run)
{
    private Installation Installation => run.Installation;

    [Fact]
    public async Task A_report_is_one_document_of_the_fixed_shape()
    {
        var end = await Installation.RunAsync("report", FinishedRun.Id, "--json");

        Assert.Equal(0, end.ExitCode);
        using var document = JsonDocument.Parse(end.Output);
        var report = document.RootElement;
        Assert.Equal(
            ["runId", "state", "config", "poolHash", "weightsHash", "seconds", "iterations"], report.EnumerateObject().Select(p => p.Name));
        Assert.Equal("finished", report.GetProperty("state").GetString());
        var iterations = report.GetProperty("iterations").EnumerateArray().ToArray();
        Assert.Equal([0, 1, 2], iterations.Select(i => i.GetProperty("iteration").GetInt32()));
        Assert.All(iterations, iteration =>
        {
            Assert.Equal(
                ["iteration", "metrics", "samples", "trainedExamples", "seconds"], iteration.EnumerateObject().Select(p => p.Name));
            Assert.Equal(
                [
                    "toxicityProbability", "averageMaximumToxicity", "averageToxicity", "toxicShare", "groundTruthToxicShare",
                    "groundTruthToxicityProbability",
                    "perplexity", "dist2", "dist3", "length", "truncatedShare",
                ],
                iteration.GetProperty("metrics").EnumerateObject().Select(p => p.Name));
            Assert.All(iteration.GetProperty("metrics").EnumerateObject(), metric =>
                Assert.Equal(JsonValueKind.Number, metric.Value.ValueKind));
        });
    }

    [Fact]
    public async Task A_report_page_loads_nothing_from_elsewhere()
    {
        var end = await Installation.RunAsync("report", FinishedRun.Id);

        Assert.Equal(0, end.ExitCode);
        Assert.Contains("toxic share", end.Output, StringComparison.Ordinal);
        var page = await File.ReadAllTextAsync(Path.Combine(Installation.Home, "reports", $"{FinishedRun.Id}.html"));
        Assert.Contains("<svg", page, StringComparison.Ordinal);
        Assert.DoesNotMatch(External(), page);
    }

    [Fact]
    public async Task A_finished_run_called_again_only_reports()
    {
        var end = await Installation.RunAsync("run", Installation.Config, "--run-id", FinishedRun.Id, "--json");

        Assert.Equal(0, end.ExitCode);
        Assert.Empty(end.Errors);
        Assert.Contains(run.Report.WeightsHash!, end.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_refuses_another_config()
    {
        var end = await Installation.RunAsync("run", Installation.Config, "--set", "seed=2", "--run-id", FinishedRun.Id);

        Assert.Equal(2, end.ExitCode);
        Assert.Contains($"'{FinishedRun.Id}' exists with another config", end.OnlyLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_is_one_document_and_knows_the_run()
    {
        var end = await Installation.RunAsync("status", "--json");

        Assert.Equal(0, end.ExitCode);
        using var document = JsonDocument.Parse(end.Output);
        var status = Assert.Single(document.RootElement.GetProperty("runs").EnumerateArray(), r =>
            r.GetProperty("runId").GetString() == FinishedRun.Id);
        Assert.Equal("finished", status.GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("0")]
    [InlineData("2")]
    public async Task Samples_have_the_fixed_shape_and_repeat(string iteration)
    {
        var prompts = Installation.PathOf("prompts.jsonl");
        await File.WriteAllLinesAsync(prompts, ["""{"prompt":{"text":"I think that"}}""", """{"prompt":"This thread"}"""]);

        var outputs = new List<string>();
        foreach (var name in new[] { "first", "second" })
        {
            var path = Installation.PathOf($"{name}.jsonl");
            var end = await Installation.RunAsync(
                "sample", "--run", FinishedRun.Id, "--iteration", iteration, "--prompts", prompts, "--n", "3", "--max-new-tokens", "6",
                "--out", path);
            Assert.True(end.ExitCode == 0, end.Errors);
            outputs.Add(await File.ReadAllTextAsync(path));
        }

        Assert.Equal(outputs[0], outputs[1]);
        var lines = outputs[0].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToArray();
        Assert.Equal(["I think that", "This thread"], lines.Select(l => l.GetProperty("prompt").GetString()));
        Assert.All(lines, line => Assert.Equal(3, line.GetProperty("generations").GetArrayLength()));
        Assert.All(lines.SelectMany(l => l.GetProperty("generations").EnumerateArray()), g =>
            Assert.Equal(["text", "finishReason", "tokens"], g.EnumerateObject().Select(p => p.Name)));
    }

    [Fact]
    public async Task A_corrupt_artifact_is_found_and_named()
    {
        // The policy's weights as an intruder or a bad disk would leave them; the unpacked copy is gone.
        Directory.Delete(Path.Combine(Installation.Home, "models"), recursive: true);
        var artifact = new DirectoryInfo(Path.Combine(Installation.Home, "artifacts"))
            .EnumerateFiles("*", SearchOption.AllDirectories).OrderByDescending(f => f.Length).First();
        var damaged = new List<(string Path, byte[] Content)>();
        foreach (var file in new DirectoryInfo(Path.Combine(Installation.Home, "artifacts"))
            .EnumerateFiles("*", SearchOption.AllDirectories).Where(f => f.Length > artifact.Length / 2))
        {
            var content = await File.ReadAllBytesAsync(file.FullName);
            damaged.Add((file.FullName, [.. content]));
            content[content.Length / 2] ^= 1;
            file.IsReadOnly = false;
            await File.WriteAllBytesAsync(file.FullName, content);
        }

        var prompts = Installation.PathOf("prompts.jsonl");
        await File.WriteAllTextAsync(prompts, """{"prompt":"This thread"}""");
        var end = await Installation.RunAsync(
            "sample", "--run", FinishedRun.Id, "--prompts", prompts, "--n", "1", "--out", Installation.PathOf("never.jsonl"));
        foreach (var (path, content) in damaged)
        {
            await File.WriteAllBytesAsync(path, content);
        }

        Assert.Equal(1, end.ExitCode);
        Assert.Contains(damaged, d => end.OnlyLine.Contains(Path.GetFileName(d.Path)[..12], StringComparison.Ordinal));
        Assert.False(File.Exists(Installation.PathOf("never.jsonl")));
    }

    /// <summary>Everything that a browser would fetch.</summary>
    [GeneratedRegex("""(src|href)\s*=|url\(|@import|https?:""")]
    private static partial Regex External();
}
