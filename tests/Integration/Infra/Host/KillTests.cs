using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed class KillTests(FinishedRun calm)
{
    private const int KillsOfEach = 5;

    [Fact]
    public async Task A_run_whose_processes_are_killed_at_random_moments_ends_as_if_nothing_had_happened()
    {
        await using var installation = new Installation();
        await using var run = installation.Start("run", installation.Config, "--run-id", "stormy", "--json");
        var random = new Random(1);
        var victims = Enumerable.Repeat((string[])["worker", "server", "postgres"], KillsOfEach).SelectMany(v => v).ToArray();
        random.Shuffle(victims);
        foreach (var victim in victims)
        {
            // Waits for no condition: this delay is the random moment.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(100, 1500)));
            await installation.KillAsync(victim);
            Assert.False(run.HasEnded, $"The run ended before all {victims.Length} kills: {run.Errors}");
        }

        var end = await run.EndAsync();

        Assert.True(end.ExitCode == 0, end.Errors);
        var report = JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!;
        Assert.Equal("finished", report.State);
        Assert.Equal(calm.Report.PoolHash, report.PoolHash);
        Assert.Equal(calm.Report.WeightsHash, report.WeightsHash);
        Assert.Equal(calm.Report.Iterations.Select(i => i.Metrics), report.Iterations.Select(i => i.Metrics));
        Assert.Empty(installation.Processes());
    }

    [Fact]
    public async Task No_process_outlives_the_killed_command_and_the_run_continues_when_called_again()
    {
        await using var installation = new Installation();
        await using (var run = installation.Start("run", installation.Config, "--run-id", "killed"))
        {
            await run.SaysAsync(" · ");
            run.Kill();
            await Wait.ForAsync(() => installation.Processes().Count == 0, "the end of all processes");
        }

        var status = await installation.RunAsync("status", "killed");
        Assert.Contains("interrupted", status.Output, StringComparison.Ordinal);
        Assert.Contains("./alt run --run-id killed", status.Output, StringComparison.Ordinal);

        var end = await installation.RunAsync("run", "--run-id", "killed", "--json");
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal(calm.Report.WeightsHash, JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!.WeightsHash);
    }

    [Fact]
    public async Task An_interrupt_ends_everything_at_once_and_says_how_to_continue()
    {
        await using var installation = new Installation();
        await using var run = installation.Start("run", installation.Config, "--run-id", "interrupted");
        await run.SaysAsync(" · ");

        await run.InterruptAsync();
        var end = await run.EndAsync();

        Assert.Equal(130, end.ExitCode);
        Assert.Contains(
            "./alt run --run-id interrupted", end.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1], StringComparison.Ordinal);
        Assert.Empty(end.Output);
        Assert.Empty(installation.Processes());
    }
}
