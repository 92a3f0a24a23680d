using System.Text.Json;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed class ReplayTests(FinishedRun run)
{
    private Installation Installation => run.Installation;

    [Theory]
    [InlineData(0, "PolicyEvaluated")]
    [InlineData(1, "PromptsDrawn GenerationsSampled FeedbackCollected DataPoolUpdated BatchSelected PolicyEvaluated")]
    [InlineData(2, "PromptsDrawn GenerationsSampled FeedbackCollected DataPoolUpdated BatchSelected PolicyEvaluated")]
    public async Task Decisions_derived_again_are_those_of_the_record(int iteration, string events)
    {
        var end = await Installation.RunAsync("replay", FinishedRun.Id, "--iteration", $"{iteration}", "--json");

        Assert.True(end.ExitCode == 0, end.Errors);
        var replay = JsonDocument.Parse(end.Output).RootElement;
        Assert.True(replay.GetProperty("equal").GetBoolean());
        Assert.Equal(events.Split(' '), replay.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("event").GetString()));
    }

    [Fact]
    public async Task An_iteration_executed_again_ends_with_the_same_weights_and_leaves_nothing_behind()
    {
        var before = Files("artifacts");

        var end = await Installation.RunAsync("replay", FinishedRun.Id, "--iteration", "2", "--execute", "--json");

        Assert.True(end.ExitCode == 0, end.Errors);
        var names = JsonDocument.Parse(end.Output).RootElement.GetProperty("events")
            .EnumerateArray().Select(e => e.GetProperty("event").GetString()).ToArray();
        Assert.Contains("PolicyTrained", names);
        Assert.Equal(2 + 2 + 1, names.Count(n => n == "ChunkFinished"));
        Assert.Equal(before, Files("artifacts"));
        Assert.Empty(Files("replay"));
    }

    [Fact]
    public async Task A_scratch_space_that_is_kept_holds_what_was_derived()
    {
        var end = await Installation.RunAsync("replay", FinishedRun.Id, "--iteration", "1", "--keep", "--json");

        var scratch = JsonDocument.Parse(end.Output).RootElement.GetProperty("scratch").GetString()!;
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(scratch, "artifacts"), "*", SearchOption.AllDirectories));
        Directory.Delete(scratch, recursive: true);
    }

    [Fact]
    public async Task What_a_killed_replay_left_behind_is_deleted_by_the_next_and_that_of_a_living_one_is_not()
    {
        await using (var killed = Installation.Start("replay", FinishedRun.Id, "--iteration", "1", "--execute"))
        {
            await killed.SaysAsync("equal");
            killed.Kill();
            await killed.EndAsync();
        }

        Assert.NotEmpty(Files("replay"));
        var left = Directory.GetDirectories(Path.Combine(Installation.Home, "replay"));
        await using var living = Installation.Start("replay", FinishedRun.Id, "--iteration", "1", "--execute");
        await living.SaysAsync("equal");

        Assert.Equal(0, (await Installation.RunAsync("replay", FinishedRun.Id, "--iteration", "1")).ExitCode);

        Assert.DoesNotContain(left, Directory.Exists);
        var end = await living.EndAsync();
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Empty(Files("replay"));
    }

    [Fact]
    public async Task The_first_difference_is_named_by_stage_and_sample()
    {
        // The pool as an intruder who wants another sample to be the best would leave it, with a hash that fits its bytes.
        const string Stream = "iteration-calm-1";
        var pool = JsonDocument.Parse(await Installation.QueryAsync(Data(Stream, "data_pool_updated"))).RootElement.GetProperty("Pool");
        var lines = await File.ReadAllLinesAsync(ArtifactPath(pool.GetProperty("Hash").GetString()!));
        var changed = Array.FindIndex(lines, l => l.EndsWith("\"quantile\":4}", StringComparison.Ordinal));
        lines[changed] = lines[changed].Replace("\"quantile\":4}", "\"quantile\":0}", StringComparison.Ordinal);
        var content = System.Text.Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");
        var forged = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content));
        Directory.CreateDirectory(Path.GetDirectoryName(ArtifactPath(forged))!);
        await File.WriteAllBytesAsync(ArtifactPath(forged), content);
        await Installation.QueryAsync(SetPoolHash(Stream, forged));

        var end = await Installation.RunAsync("replay", FinishedRun.Id, "--iteration", "1", "--json");

        await Installation.QueryAsync(SetPoolHash(Stream, pool.GetProperty("Hash").GetString()!));
        Assert.Equal(1, end.ExitCode);
        var first = JsonDocument.Parse(end.Output).RootElement.GetProperty("firstDifference");
        Assert.Equal("dataPool", first.GetProperty("stage").GetString());
        var at = first.GetProperty("difference").GetProperty("at");
        Assert.Equal((changed + 1, "quantile", "0", "4"), (
            at.GetProperty("line").GetInt32(), at.GetProperty("field").GetString(), at.GetProperty("recorded").GetString(),
            at.GetProperty("derived").GetString()));
        var id = JsonDocument.Parse(lines[changed]).RootElement.GetProperty("sample").GetProperty("id");
        Assert.Contains(
            $"({id.GetProperty("iteration")}/{id.GetProperty("prompt")}/{id.GetProperty("k")})", end.OnlyLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_iteration_that_never_was_is_one_line()
    {
        var end = await Installation.RunAsync("replay", FinishedRun.Id, "--iteration", "9");

        Assert.Equal(2, end.ExitCode);
        Assert.Contains("--iteration 9", end.OnlyLine, StringComparison.Ordinal);
    }

    private string ArtifactPath(string hash) => Path.Combine(Installation.Home, "artifacts", hash[..2], hash);

    private string[] Files(string folder) => Path.Combine(Installation.Home, folder) is var path && Directory.Exists(path)
        ? [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)]
        : [];

    private static string Data(string stream, string type) =>
        $"select data::text from mt_events where stream_id = '{stream}' and type = '{type}'";

    private static string SetPoolHash(string stream, string hash) =>
        $"update mt_events set data = jsonb_set(data, '{{Pool,Hash}}', '\"{hash}\"') where stream_id = '{stream}' and type = "
        + "'data_pool_updated' returning 'done'";
}
