using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed class ForkTests(FinishedRun calm)
{
    private const string Rows = "select string_agg(concat_ws(',', iteration, prompt, k, chunk, policy, conditioning, seed, finish_reason, "
        + "tokens, outcome, reward, quantiles, decisions, training_steps), ';' order by iteration, prompt, k) from "
        + "alt_samples where run = ";

    private Installation Installation => calm.Installation;

    [Fact]
    public async Task A_fork_without_changes_ends_like_its_parent_even_when_it_is_killed()
    {
        await using (var fork = Installation.Start("fork", FinishedRun.Id, "--at", "1", "--run-id", "twin"))
        {
            await fork.SaysAsync("iteration 1 of 2");
            fork.Kill();
            await Wait.ForAsync(() => Installation.Processes().Count == 0, "the end of all processes");
        }

        Assert.Contains("fork of calm at iteration 1", (await Installation.RunAsync("status", "twin")).Output, StringComparison.Ordinal);
        var end = await Installation.RunAsync("run", "--run-id", "twin", "--json");

        Assert.True(end.ExitCode == 0, end.Errors);
        var report = Report(end);
        Assert.Equal(calm.Report.PoolHash, report.PoolHash);
        Assert.Equal(calm.Report.WeightsHash, report.WeightsHash);
        Assert.Equal(["calm", null, null], report.Iterations.Select(i => i.SharedFrom));
        Assert.Equal(await Installation.QueryAsync($"{Rows}'calm'"), await Installation.QueryAsync($"{Rows}'twin'"));
        Assert.Equal(0, (await Installation.RunAsync("replay", "twin", "--iteration", "2")).ExitCode);
    }

    [Fact]
    public async Task A_fork_does_again_only_what_its_settings_change()
    {
        var end = await Installation.RunAsync(
            "fork", FinishedRun.Id, "--at", "2", "--set", "selection.perQuantile=3", "--run-id", "frugal", "--json");

        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Contains("the iterations 0 to 1, and of iteration 2 what comes before Selection", end.Errors, StringComparison.Ordinal);
        var report = Report(end);
        Assert.Equal(new RunOrigin(FinishedRun.Id, 2, Stage.Selection, report.Origin!.Version), report.Origin);
        Assert.Equal(calm.Report.PoolHash, report.PoolHash);
        Assert.NotEqual(calm.Report.WeightsHash, report.WeightsHash);
        Assert.Equal(15, report.Iterations[2].TrainedExamples);
        // The very events: work done again would have taken another time.
        const string Shared = "select string_agg(data::text, ';' order by version) from mt_events where type in ('prompts_drawn', "
            + "'generations_sampled', 'feedback_collected', 'data_pool_updated') and stream_id = ";
        Assert.Equal(
            await Installation.QueryAsync($"{Shared}'iteration-calm-2'"), await Installation.QueryAsync($"{Shared}'iteration-frugal-2'"));
        var first = JsonDocument.Parse(await Installation.QueryAsync(
            "select data::text from mt_events where stream_id = 'run-frugal' and version = 1")).RootElement.GetProperty("Origin");
        Assert.Equal(
            await Installation.QueryAsync("select version::text from mt_streams where id = 'run-calm'"),
            first.GetProperty("Version").ToString());
        // The parent's iterations are replayed with the parent's settings, the fork's with its own.
        Assert.Equal(0, (await Installation.RunAsync("replay", "frugal", "--iteration", "1")).ExitCode);
        Assert.Equal(0, (await Installation.RunAsync("replay", "frugal", "--iteration", "2")).ExitCode);
    }

    [Fact]
    public async Task A_finished_run_is_extended_by_a_fork()
    {
        var end = await Installation.RunAsync(
            "fork", FinishedRun.Id, "--at", "3", "--set", "iterations=3", "--set", "rewardModel.l2=2", "--run-id", "longer", "--json");

        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal(["calm", "calm", "calm", null], Report(end).Iterations.Select(i => i.SharedFrom));
        var hashes = await Installation.QueryAsync(
            "select string_agg(distinct data ->> 'Hash', ' ') from mt_events where type = 'classifier_trained' and stream_id in "
            + "('run-calm', 'run-longer')");
        Assert.Equal(2, hashes.Split(' ').Length);
    }

    [FactWithoutGpu]
    public async Task A_fork_may_choose_its_device_and_on_the_same_one_gives_the_same_bits()
    {
        Assert.Contains(
            "device: cuda, but",
            (await Installation.RunAsync("fork", FinishedRun.Id, "--at", "2", "--set", "device=cuda", "--run-id", "no")).OnlyLine,
            StringComparison.Ordinal);
        Assert.Equal(2, (await Installation.RunAsync("status", "no")).ExitCode);

        var end = await Installation.RunAsync(
            "fork", FinishedRun.Id, "--at", "2", "--set", "device=auto", "--run-id", "elsewhere", "--json");

        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Contains("of iteration 2 what comes before Sampling", end.Errors, StringComparison.Ordinal);
        Assert.Equal(calm.Report.WeightsHash, Report(end).WeightsHash);
        Assert.Equal(
            "Cpu",
            await Installation.QueryAsync("select data ->> 'Device' from mt_events where stream_id = 'run-elsewhere' and version = 1"));
    }

    [Theory]
    [InlineData("--at 1 --set seed=7 --run-id no", "seed")]
    [InlineData("--at 2 --set feedback.separator=<|s|> --run-id no", "--at 1")]
    [InlineData("--at 2 --set iterations=1 --run-id no", "from 0 to 1")]
    [InlineData("--at 2 --set training.stepz=1 --run-id no", "training.stepz")]
    [InlineData("--at 2 --set training.steps=1 --run-id calm", "a run of that name")]
    public async Task A_fork_that_cannot_be_is_one_line_and_leaves_no_run(string options, string names)
    {
        var end = await Installation.RunAsync(["fork", FinishedRun.Id, .. options.Split(' ')]);

        Assert.Equal(2, end.ExitCode);
        Assert.Contains(names, end.OnlyLine, StringComparison.Ordinal);
        Assert.Equal(2, (await Installation.RunAsync("status", "no")).ExitCode);
    }

    private static RunReport Report(ProgramEnd end) => JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!;
}
