using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Infra.Calls;
using Alt.Rehearsal;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed class FeedbackTests
{
    private static readonly string[] Tags = new FeedbackConfig().Tags.ToArray();

    [Fact]
    public async Task People_label_what_a_run_waits_for_and_it_continues_with_their_labels()
    {
        await using var installation = new Installation();
        await using var run = installation.Start(
            "run", installation.Config, "--run-id", "people", "--json", "--set", "iterations=1", "--set", "prompts.perIteration=8", "--set",
            "feedback.judge={kind: human}", "--set", "selection.ranking=category");
        await run.SaysAsync("waits: samples wait for people's labels: ./alt feedback export people");

        var status = await installation.RunAsync("status", "people");
        Assert.Contains("waits: samples wait for people's labels", status.Output, StringComparison.Ordinal);
        Assert.Equal(16, JsonNode.Parse((await installation.RunAsync(
            "feedback", "quarantine", "people", "--json")).Output)!["waiting"]!["first judgement"]!.AsArray().Count);
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
        await Wait.ForAsync(
            async () => (await installation.RunAsync("audit", "events", "people", "--json")).Output.Split("run_paused").Length > 2,
            "a second pause");
        await File.WriteAllTextAsync(file, rows[0].ToJsonString());
        Assert.Equal(0, (await installation.RunAsync(
            "feedback", "import", "people", file, "--author", "B. Reader", "--reason", "second look")).ExitCode);
        Assert.Equal(0, (await installation.RunAsync("resume", "people")).ExitCode);

        var end = await run.EndAsync();
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal(
            "15 Labelled 1 Vetoed",
            await installation.QueryAsync(
                "select string_agg(n || ' ' || outcome, ' ' order by outcome) from (select outcome, count(*) n from alt_samples where run "
                + "= 'people' group by 1) o"));
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
    public async Task A_checkpoint_judges_a_run_which_needs_it_unchanged_to_its_end()
    {
        await using var installation = new Installation();
        using var checkpoint = new CheckpointCopy("bert");
        string[] run = ["run", installation.Config, "--run-id", "scored", "--set", "iterations=1", "--set", "prompts.perIteration=8"];
        var refused = await installation.RunAsync([.. run, "--set", $"feedback.judge={{kind: checkpoint, folder: {checkpoint.Folder}}}"]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(
            "label is missing; expected which of the classifier's labels is the reward: bad, middling, good", refused.Errors,
            StringComparison.Ordinal);

        run[3] = "rewarded";
        var end = await installation.RunAsync(
            [.. run, "--set", $"feedback.judge={{kind: checkpoint, folder: {checkpoint.Folder}, label: good}}"]);
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal("16 Labelled", await installation.QueryAsync(
            "select count(*) || ' ' || min(outcome) from alt_samples where run = 'rewarded' and iteration = 1"));
        var hash = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(checkpoint.Weights)));
        Assert.Equal("16 true", await installation.QueryAsync(
            $"select count(*) || ' ' || bool_and(version like '{hash}@%') from alt_judge_calls where run = 'rewarded' "
            + "and judge = 'checkpoint'"));
        Assert.Equal(hash, await installation.QueryAsync(
            $"select data -> 'Inputs' ->> '{checkpoint.Weights}' from mt_events where stream_id = 'run-rewarded' "
            + "and type = 'run_started'"));

        var replayed = await installation.RunAsync("replay", "rewarded", "--iteration", "1", "--execute");
        Assert.True(replayed.ExitCode == 0, replayed.Output + replayed.Errors);
        checkpoint.Rename(name => name == "classifier.bias" ? "classifier.other" : name == "classifier.other" ? "classifier.bias" : name);
        var changed = await installation.RunAsync("retry", "scored");
        Assert.Contains(
            "model.safetensors' has changed and the run's judge reads it; put back the file that it began with", changed.Errors,
            StringComparison.Ordinal);
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
        Assert.Contains(
            "labels.jsonl:1: not a label", (await installation.RunAsync("feedback", "import", "any", file, "--author", "A")).OnlyLine,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_waits_for_a_person_can_be_stopped()
    {
        await using var installation = new Installation();
        await using var run = installation.Start(
            "run", installation.Config, "--run-id", "left", "--json", "--set", "iterations=1", "--set", "prompts.perIteration=8", "--set",
            "feedback.judge={kind: human}");
        await run.SaysAsync("waits: ");
        Assert.Equal(0, (await installation.RunAsync("stop", "left")).ExitCode);

        var end = await run.EndAsync();
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Contains("left: stopped", (await installation.RunAsync("status", "left")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_samples_without_a_label_hold_the_run_until_a_user_allows_them()
    {
        await using var installation = new Installation();
        // A judge whose service is unreachable: every call fails.
        await using var run = installation.Start(
            "run", installation.Config, "--run-id", "alone", "--json", "--set", "iterations=1", "--set", "prompts.perIteration=8",
            "--set", "feedback.judge={kind: scorer, endpoint: 'http://127.0.0.1:9', calls: {attempts: 1}}");
        await run.SaysAsync("waits: iteration 1: 16 of 16 samples have no label (16 Connection), more than the share of 0.02");
        Assert.Equal(0, (await installation.RunAsync("feedback", "retry", "alone")).ExitCode);
        await Wait.ForAsync(
            async () => (await installation.RunAsync("audit", "events", "alone", "--json")).Output.Split("run_paused").Length > 2,
            "a second pause");
        Assert.Equal(0, (await installation.RunAsync("resume", "alone", "--failures", "1")).ExitCode);

        // Without any label there is nothing to train on, and the run reports it.
        var end = await run.EndAsync();
        Assert.Equal(1, end.ExitCode);
        Assert.Contains("iteration 1", end.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_waits_at_its_budget_and_its_key_is_written_nowhere()
    {
        const string Key = "sk-rehearsal-77213-right", Wrong = "sk-rehearsal-98061-wrong";
        await using var installation = new Installation();
        var (keyFile, wrongFile) = (installation.PathOf("right.key"), installation.PathOf("wrong.key"));
        await File.WriteAllTextAsync(keyFile, Key);
        await File.WriteAllTextAsync(wrongFile, Wrong);
        await using var judge = await RehearsalServer.StartAsync(new() { Key = Secret.Read($"file:{keyFile}") });

        var refused = await installation.RunAsync(["run", installation.Config, "--run-id", "refused", .. Settings(wrongFile)]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(wrongFile, refused.Errors, StringComparison.Ordinal);

        await using var run = installation.Start(["run", installation.Config, "--run-id", "paid", "--json", .. Settings(keyFile)]);
        await run.SaysAsync("waits: ");
        Assert.Contains("./alt resume paid --budget USD", run.Errors, StringComparison.Ordinal);
        var asked = judge.Counts.Billed;
        Assert.InRange(asked, 1, 15);
        Assert.Equal(0, (await installation.RunAsync("resume", "paid", "--budget", "0")).ExitCode);
        var end = await run.EndAsync();
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal(
            judge.Counts.Billed.ToString(CultureInfo.InvariantCulture),
            await installation.QueryAsync("select sum(attempts)::text from alt_judge_calls where run = 'paid'"));
        Assert.Equal("Clear, right and complete.", await installation.QueryAsync(
            "select string_agg(distinct conditioning, '|') from alt_samples where run = 'paid' and iteration = 2"));

        var outputs = refused.Output + refused.Errors + end.Output + end.Errors
            + (await installation.RunAsync("audit", "events", "paid", "--json")).Output + (await installation.RunAsync("status")).Output;
        Assert.DoesNotContain(Key, outputs, StringComparison.Ordinal);
        Assert.DoesNotContain(Wrong, outputs, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(installation.Home, "*", SearchOption.AllDirectories))
        {
            var content = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            Assert.False(
                content.Contains(Key, StringComparison.Ordinal) || content.Contains(Wrong, StringComparison.Ordinal),
                $"{file} holds a key.");
        }

        IEnumerable<string> Settings(string key) =>
        [
            "--set", "prompts.perIteration=8", "--set", "feedback.tags=[Very good, Good, Bad, Worst]", "--set",
            "selection.ranking=category",
            "--set",
            $"feedback.judge={{kind: llm, endpoint: '{judge.Address}/v1', model: judge, reply: unconstrained, apiKey: 'file:{key}', calls: "
                + $"{{inputPrice: 1, outputPrice: 1}}}}",
            "--set", "feedback.budget={run: 0.002}",
        ];
    }

    [Fact]
    public async Task A_judge_is_estimated_and_checked_before_a_run_relies_on_it()
    {
        await using var installation = new Installation();
        await using var judge = await RehearsalServer.StartAsync(new());
        string[] settings =
        [
            "--set", "feedback.tags=[Harmless and very helpful, Harmless and helpful, Harmless and not helpful, Harmful]", "--set",
            "selection.ranking=category",
            "--set",
            $"feedback.judge={{kind: llm, endpoint: '{judge.Address}/v1', model: judge, calls: {{requestsPerMinute: 600, "
                + $"inputPrice: 1, outputPrice: 2}}}}",
        ];
        var estimate = JsonNode.Parse((await installation.RunAsync(["estimate", installation.Config, "--json", .. settings])).Output)!;
        Assert.Equal(128, (int)estimate["samples"]!);
        Assert.Equal(128, (int)estimate["accounts"]![0]!["calls"]!);
        Assert.True((decimal)estimate["cost"]! > 0);
        Assert.Equal(0, judge.Counts.Requests);

        var file = installation.PathOf("known.jsonl");
        await File.WriteAllLinesAsync(file, [
            """{"prompt":"How are you?","text":"What a stupid thing to ask.","tag":"Harmful"}""",
            """{"prompt":"How are you?","text":"I hate such questions.","reward":0}""",
        ]);
        var check = await installation.RunAsync(["judge", "check", installation.Config, file, "--repeats", "2", "--json", .. settings]);
        Assert.True(check.ExitCode == 0, check.Errors);
        var result = JsonNode.Parse(check.Output)!;
        Assert.Equal(1, (double)result["agreement"]!["agreement"]!);
        Assert.Equal(1, (double)result["agreement"]!["consistency"]!);
        Assert.Equal(4, judge.Counts.Requests);

        var unset = await installation.RunAsync([
            "run", installation.Config, .. settings[..^1],
            settings[^1].Replace("model: judge", "model: judge, apiKey: 'env:ALT_NO_SUCH_KEY'", StringComparison.Ordinal)
        ]);
        Assert.Equal(2, unset.ExitCode);
        Assert.Contains("ALT_NO_SUCH_KEY is not set", unset.OnlyLine, StringComparison.Ordinal);
    }
}
