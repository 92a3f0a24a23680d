using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed class FeedbackTests
{
    private static readonly string[] Tags = new FeedbackConfig().Tags.ToArray();

    [Fact]
    public async Task People_label_what_a_run_waits_for_and_it_goes_on_with_their_labels()
    {
        await using var installation = new Installation();
        await using var run = installation.Start(
            "run", installation.Config, "--run-id", "people", "--json", "--set", "iterations=1", "--set", "prompts.perIteration=8", "--set", "feedback.provider={kind: human}", "--set", "selection.ranking=category");
        await run.SaysAsync("waits: samples wait for people's labels: ./alt feedback export people");

        var status = await installation.RunAsync("status", "people");
        Assert.Contains("waits: samples wait for people's labels", status.Output, StringComparison.Ordinal);
        Assert.Equal(16, JsonNode.Parse((await installation.RunAsync("feedback", "quarantine", "people", "--json")).Output)!["waiting"]!["first judgement"]!.AsArray().Count);
        var file = installation.PathOf("samples.jsonl");
        Assert.Equal(0, (await installation.RunAsync("feedback", "export", "people", "--out", file)).ExitCode);

        var rows = File.ReadLines(file).Select(l => JsonNode.Parse(l)!.AsObject()).ToArray();
        Assert.Equal(16, rows.Length);
        foreach (var (i, row) in rows.Index())
        {
            row[i == 0 ? "veto" : "tag"] = i == 0 ? true : Tags[i % Tags.Length].ToLowerInvariant();
        }

        await File.WriteAllLinesAsync(file, rows.Skip(1).Select(r => r.ToJsonString()));
        var import = await installation.RunAsync("feedback", "import", "people", file, "--author", "A. Reader");
        Assert.True(import.ExitCode == 0, import.Errors);
        Assert.Equal(0, (await installation.RunAsync("resume", "people")).ExitCode);

        // One is still without a label, so it waits again.
        await Wait.ForAsync(async () => (await installation.RunAsync("audit", "events", "people", "--json")).Output.Split("run_paused").Length > 2, "a second pause");
        await File.WriteAllTextAsync(file, rows[0].ToJsonString());
        Assert.Equal(0, (await installation.RunAsync("feedback", "import", "people", file, "--author", "B. Reader", "--reason", "second look")).ExitCode);
        Assert.Equal(0, (await installation.RunAsync("resume", "people")).ExitCode);

        var end = await run.EndAsync();
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal(
            "15 Labelled 1 Vetoed",
            await installation.QueryAsync("select string_agg(n || ' ' || outcome, ' ' order by outcome) from (select outcome, count(*) n from alt_samples where run = 'people' group by 1) o"));
        var first = (string)rows[0]["id"]!["prompt"]!.ToString();
        var life = await installation.RunAsync("audit", "sample", $"people/1/{first}/{rows[0]["id"]!["k"]}", "--json");
        Assert.Contains("B. Reader", life.Output, StringComparison.Ordinal);
        Assert.Contains("vetoed: by a person", life.Output, StringComparison.Ordinal);
        foreach (var check in new string[][] { ["verify", "people"], ["replay", "people", "--iteration", "1"] })
        {
            var checkedRun = await installation.RunAsync(check);
            Assert.True(checkedRun.ExitCode == 0, checkedRun.Output + checkedRun.Errors);
        }
    }

    [Fact]
    public async Task Labels_that_say_nothing_or_come_too_late_are_refused_in_one_line()
    {
        await using var installation = new Installation();
        var file = installation.PathOf("labels.jsonl");
        await File.WriteAllTextAsync(file, """{"id":{"iteration":1,"prompt":0,"k":0}}""");
        var empty = await installation.RunAsync("feedback", "import", "any", file, "--author", "A");
        Assert.Equal(2, empty.ExitCode);
        Assert.Contains("holds no label", empty.OnlyLine, StringComparison.Ordinal);

        await File.WriteAllTextAsync(file, """{"id":7,"reward":1}""");
        Assert.Contains("labels.jsonl:1: not a label", (await installation.RunAsync("feedback", "import", "any", file, "--author", "A")).OnlyLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_samples_without_a_label_hold_the_run_until_somebody_allows_them()
    {
        await using var installation = new Installation();
        // A judge whose service is not there: every call fails.
        await using var run = installation.Start(
            "run", installation.Config, "--run-id", "alone", "--json", "--set", "iterations=1", "--set", "prompts.perIteration=8",
            "--set", "feedback.provider={kind: scorer, endpoint: 'http://127.0.0.1:9', calls: {attempts: 1}}");
        await run.SaysAsync("waits: iteration 1: 16 of 16 samples have no label (16 Connection), more than the share of 0.02");
        Assert.Equal(0, (await installation.RunAsync("feedback", "retry", "alone")).ExitCode);
        await Wait.ForAsync(async () => (await installation.RunAsync("audit", "events", "alone", "--json")).Output.Split("run_paused").Length > 2, "a second pause");
        Assert.Equal(0, (await installation.RunAsync("resume", "alone", "--failures", "1")).ExitCode);

        // Without any label there is nothing to train on, and the run says so.
        var end = await run.EndAsync();
        Assert.Equal(1, end.ExitCode);
        Assert.Contains("iteration 1", end.Errors, StringComparison.Ordinal);
    }
}
