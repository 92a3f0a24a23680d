using System.Text.Json;
using System.Text.RegularExpressions;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed partial class RetryTests(FinishedRun calm)
{
    [Fact]
    public async Task A_run_that_failed_says_why_and_continues_from_the_stage_that_failed()
    {
        await using var installation = new Installation();
        await installation.KillAfterFirstEvaluationAsync("unlucky");
        var (prompts, elsewhere) = (await ArtifactOfEvaluationPromptsAsync(installation), installation.PathOf("aside"));
        File.Move(prompts, elsewhere);

        var failed = await installation.RunAsync("run", "--run-id", "unlucky", "--json");

        Assert.Equal(1, failed.ExitCode);
        var complaint = Assert.Single(failed.Errors.Split('\n'), line => line.StartsWith("alt: ", StringComparison.Ordinal));
        Assert.Contains("./alt retry unlucky", complaint, StringComparison.Ordinal);
        Assert.Matches(EvaluationFailed(), complaint);
        var iteration = EvaluationFailed().Match(complaint).Groups["n"].Value;
        var report = JsonSerializer.Deserialize<RunReport>(failed.Output, AltJson.Options)!;
        Assert.Equal("failed", report.State);
        Assert.Contains("is missing", report.Failure, StringComparison.Ordinal);
        var status = JsonDocument.Parse((await installation.RunAsync("status", "unlucky", "--json")).Output).RootElement;
        Assert.Equal("failed", status.GetProperty("state").GetString());
        Assert.Equal("./alt retry unlucky", status.GetProperty("continue").GetString());

        File.Move(elsewhere, prompts);
        var before = await EventsAsync(installation, iteration);
        var end = await installation.RunAsync("retry", "unlucky", "--json");

        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal(calm.Report.WeightsHash, JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!.WeightsHash);
        Assert.Contains("policy_trained", before, StringComparison.Ordinal);
        Assert.StartsWith(before, await EventsAsync(installation, iteration), StringComparison.Ordinal);
        Assert.Equal(
            "run_failed run_retried run_finished",
            await installation.QueryAsync(
                "select string_agg(type, ' ' order by version) from mt_events where stream_id = 'run-unlucky' and type ~ "
                + "'stopped|resumed|failed|retried|run_finished'"));
    }

    [Fact]
    public async Task Only_a_failed_run_can_be_retried()
    {
        var end = await calm.Installation.RunAsync("retry", FinishedRun.Id);

        Assert.Equal(2, end.ExitCode);
        Assert.Contains("has not failed", end.OnlyLine, StringComparison.Ordinal);
    }

    private static Task<string> EventsAsync(Installation installation, string iteration) => installation.QueryAsync(
        $"select string_agg(type || data::text, ';' order by version) from mt_events where stream_id = 'iteration-unlucky-{iteration}'");

    [GeneratedRegex("iteration (?<n>[12]), Evaluation: artifact")]
    private static partial Regex EvaluationFailed();

    private static async Task<string> ArtifactOfEvaluationPromptsAsync(Installation installation)
    {
        var hash = await installation.QueryAsync(
            "select data -> 'Evaluation' ->> 'Hash' from mt_events where stream_id = 'run-unlucky' and type = 'data_imported'");
        return Path.Combine(installation.Home, "artifacts", hash[..2], hash);
    }
}
