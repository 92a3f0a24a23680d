using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra.Host;

/// <summary>Several runs in one home, and runs that no command follows.</summary>
[Collection(HostTests.Name)]
public sealed class RunFollowersTests(FinishedRun calm)
{
    [Fact]
    public async Task Two_runs_at_once_and_a_second_follower_of_one_all_end_with_their_reports()
    {
        await using var installation = new Installation();
        await using var first = installation.Start("run", installation.Config, "--run-id", "first", "--json");
        await using var second = installation.Start("run", installation.Config, "--set", "seed=2", "--run-id", "second", "--json");
        await first.SaysAsync(" · ");
        await using var again = installation.Start("run", "--run-id", "first", "--json");

        var reports = new List<RunReport>();
        foreach (var run in new[] { first, second, again })
        {
            var end = await run.EndAsync();
            Assert.True(end.ExitCode == 0, end.Errors);
            reports.Add(JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!);
        }

        Assert.Equal(calm.Report.WeightsHash, reports[0].WeightsHash);
        Assert.Equal(calm.Report.WeightsHash, reports[2].WeightsHash);
        Assert.NotEqual(calm.Report.WeightsHash, reports[1].WeightsHash);
        Assert.Empty(installation.Processes());
    }

    [Fact]
    public async Task A_run_whose_command_was_killed_waits_while_another_one_is_worked_on()
    {
        await using var installation = new Installation();
        await installation.KillAfterFirstEvaluationAsync("left");
        var events = await EventsAsync(installation, "left");
        var other = await installation.RunAsync("run", installation.Config, "--set", "seed=2", "--run-id", "other");

        Assert.True(other.ExitCode == 0, other.Errors);
        Assert.Equal(events, await EventsAsync(installation, "left"));
        Assert.Contains("left: interrupted", (await installation.RunAsync("status", "left")).Output, StringComparison.Ordinal);
        var end = await installation.RunAsync("run", "--run-id", "left", "--json");
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal(calm.Report.WeightsHash, JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!.WeightsHash);
    }

    [Fact]
    public async Task A_run_is_let_go_within_seconds_when_its_command_ends_beside_another()
    {
        await using var installation = new Installation();
        await using var owner = installation.Start("run", installation.Config, "--set", "training.steps=600", "--run-id", "owner");
        await owner.SaysAsync(" · ");
        await using (var guest = installation.Start("run", installation.Config, "--run-id", "guest"))
        {
            await guest.SaysAsync(" · ");
            guest.Kill();
        }

        await Wait.ForAsync(
            async () => (await installation.RunAsync("status", "guest")).Output.Contains("guest: interrupted", StringComparison.Ordinal),
            "an interrupted run");
        Assert.False(owner.HasEnded, owner.Errors);
    }

    [Fact]
    public async Task A_command_to_a_run_that_no_worker_has_is_recorded_and_obeyed()
    {
        await using var installation = new Installation();
        await installation.KillAfterFirstEvaluationAsync("told");

        Assert.Contains("is stopped", (await installation.RunAsync("stop", "told")).Output, StringComparison.Ordinal);
        Assert.Contains("told: stopped", (await installation.RunAsync("status", "told")).Output, StringComparison.Ordinal);
        var nothing = await installation.RunAsync("pause", "told");
        Assert.Equal(2, nothing.ExitCode);
        Assert.Contains("is stopped: there is nothing to pause", nothing.OnlyLine, StringComparison.Ordinal);

        await using (var run = installation.Start("run", "--run-id", "told"))
        {
            await run.SaysAsync(" of 2 · ");
            run.Kill();
            await Wait.ForAsync(() => installation.Processes().Count == 0, "the end of all processes");
        }

        Assert.Contains("is paused", (await installation.RunAsync("pause", "told")).Output, StringComparison.Ordinal);
        Assert.Contains("told: paused", (await installation.RunAsync("status", "told")).Output, StringComparison.Ordinal);
        var refused = await installation.RunAsync("run", "--run-id", "told");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("./alt resume told", refused.OnlyLine, StringComparison.Ordinal);

        Assert.Contains("no longer paused", (await installation.RunAsync("resume", "told")).Output, StringComparison.Ordinal);
        var end = await installation.RunAsync("run", "--run-id", "told", "--json");
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal(calm.Report.WeightsHash, JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!.WeightsHash);
    }

    [Fact]
    public async Task A_run_under_way_waits_when_paused_and_continues_when_resumed()
    {
        await using var installation = new Installation();
        await using var run = installation.Start("run", installation.Config, "--run-id", "patient", "--json");
        await run.SaysAsync("iteration 0 (base model)");

        Assert.Contains("waits", (await installation.RunAsync("pause", "patient")).Output, StringComparison.Ordinal);
        await run.SaysAsync("paused");
        Assert.False(run.HasEnded);
        Assert.Contains("continues", (await installation.RunAsync("resume", "patient")).Output, StringComparison.Ordinal);

        var end = await run.EndAsync();
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal(calm.Report.WeightsHash, JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!.WeightsHash);
    }

    [Fact]
    public async Task A_paused_run_that_is_stopped_ends_with_the_iteration_under_way()
    {
        await using var installation = new Installation();
        await using var run = installation.Start("run", installation.Config, "--set", "iterations=9", "--run-id", "enough", "--json");
        await run.SaysAsync("iteration 0 (base model)");
        await installation.RunAsync("pause", "enough");
        await run.SaysAsync("paused");

        Assert.Contains("ends after", (await installation.RunAsync("stop", "enough")).Output, StringComparison.Ordinal);

        var end = await run.EndAsync();
        Assert.True(end.ExitCode == 0, end.Errors);
        var report = JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!;
        Assert.Equal("stopped", report.State);
        Assert.InRange(report.Iterations.Count, 1, 9);
    }

    [Fact]
    public async Task A_run_that_has_imported_its_files_continues_without_them_and_one_that_has_not_asks_for_them()
    {
        await using var installation = new Installation();
        var grammar = installation.PathOf("grammar.yaml");
        File.Copy(Repository.PathOf("infra", "experiments", "grammar.yaml"), grammar);
        await installation.KillAfterFirstEvaluationAsync("orphan", "--set", $"data.grammar={grammar}");
        File.Delete(grammar);

        var end = await installation.RunAsync("run", "--run-id", "orphan", "--json");

        Assert.True(end.ExitCode == 0, end.Errors);
        var report = JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!;
        Assert.Equal(calm.Report.WeightsHash, report.WeightsHash);
        Assert.Equal(calm.Report.Iterations.Select(i => i.Metrics), report.Iterations.Select(i => i.Metrics));
    }

    private static Task<string> EventsAsync(Installation installation, string run) =>
        installation.QueryAsync(
            $"select count(*)::text from mt_events where stream_id = 'run-{run}' or stream_id like 'iteration-{run}-%'");
}
