using System.Formats.Tar;
using System.Text.Json;

namespace Alt.Tests.Infra.Host;

/// <summary>Backups of a real run, restored into homes of their own, and an erasure in one of those.</summary>
[Collection(HostTests.Name)]
public sealed class BackupTests(FinishedRun run)
{
    [Fact]
    public async Task A_restored_run_verifies_reports_the_same_and_erases_a_prompt()
    {
        var file = await BackUpAsync("whole.tar");
        await using var elsewhere = new Installation();

        var restored = await elsewhere.RunAsync("restore", file, "--json");

        Assert.True(restored.ExitCode == 0, restored.Errors);
        Assert.Empty(JsonDocument.Parse(restored.Output).RootElement.GetProperty("runs")[0].GetProperty("problems").EnumerateArray());
        Assert.Equal(
            (await run.Installation.RunAsync("report", FinishedRun.Id, "--json")).Output,
            (await elsewhere.RunAsync("report", FinishedRun.Id, "--json")).Output);
        Assert.Contains("has runs already", (await elsewhere.RunAsync("restore", file)).OnlyLine, StringComparison.Ordinal);
        await EraseAsync(elsewhere);
    }

    [Fact]
    public async Task A_damaged_backup_is_refused_and_nothing_is_restored()
    {
        var file = await BackUpAsync("damaged.tar");
        var content = await File.ReadAllBytesAsync(file);
        // Within a file's content: a bit of the padding between files damages nothing.
        foreach (var place in PlacesIn(content))
        {
            byte[] damaged = [.. content];
            damaged[place] ^= 1;
            await RefuseAsync(damaged);
        }

        await RefuseAsync(content[..(content.Length / 2)]);

        async Task RefuseAsync(byte[] damaged)
        {
            await File.WriteAllBytesAsync(file, damaged);
            await using var elsewhere = new Installation();

            var end = await elsewhere.RunAsync("restore", file);

            Assert.Equal(2, end.ExitCode);
            Assert.Contains("damaged.tar", end.OnlyLine, StringComparison.Ordinal);
            Assert.Empty(
                JsonDocument.Parse((await elsewhere.RunAsync("status", "--json")).Output).RootElement.GetProperty("runs").EnumerateArray());
            Assert.False(Directory.Exists(Path.Combine(elsewhere.Home, "artifacts")));
            Assert.Empty(Directory.EnumerateDirectories(elsewhere.Home, "backup-*"));
        }
    }

    /// <summary>The middle of the archive's first file and of its largest.</summary>
    private static long[] PlacesIn(byte[] archive)
    {
        using var reader = new TarReader(new MemoryStream(archive));
        var files = new List<(long Start, long Length)>();
        while (reader.GetNextEntry() is { } entry)
        {
            files.Add((entry.DataOffset, entry.Length));
        }

        files.RemoveAll(file => file.Length == 0);
        return [.. new[] { files[0], files.MaxBy(file => file.Length) }.Select(file => file.Start + (file.Length / 2))];
    }

    [TinyDisk.Fact]
    public async Task A_backup_to_a_full_disk_is_one_line_and_leaves_nothing()
    {
        using var disk = new TinyDisk(run.Installation.PathOf("full"), kibibytes: 64);

        var end = await run.Installation.RunAsync("backup", Path.Combine(disk.Path, "never.tar"));

        Assert.Equal(1, end.ExitCode);
        Assert.Contains("space", end.OnlyLine, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(Directory.EnumerateFileSystemEntries(disk.Path));
    }

    [Fact]
    public async Task A_backup_does_not_hide_a_corrupt_artifact()
    {
        var pool = (await JsonAsync(run.Installation, "audit", "events", FinishedRun.Id, "--after", "0", "--limit", "10000"))
            .GetProperty("events").EnumerateArray()
            .First(e => e.GetProperty("type").GetString() == "data_pool_updated")
            .GetProperty("data").GetProperty("Pool").GetProperty("Hash").GetString()!;
        var artifact = new FileInfo(Path.Combine(run.Installation.Home, "artifacts", pool[..2], pool));
        var content = await File.ReadAllBytesAsync(artifact.FullName);
        artifact.IsReadOnly = false;
        await File.WriteAllBytesAsync(artifact.FullName, [.. content, 0]);
        try
        {
            var backup = await run.Installation.RunAsync("backup", run.Installation.PathOf("hides.tar"));
            var verify = await run.Installation.RunAsync("verify", FinishedRun.Id);

            Assert.Equal((1, 1), (backup.ExitCode, verify.ExitCode));
            Assert.Contains("corrupt", backup.OnlyLine, StringComparison.Ordinal);
            Assert.Contains(artifact.Name[..12], verify.OnlyLine, StringComparison.Ordinal);
            Assert.False(File.Exists(run.Installation.PathOf("hides.tar")));
        }
        finally
        {
            await File.WriteAllBytesAsync(artifact.FullName, content);
        }
    }

    private static async Task EraseAsync(Installation home)
    {
        var pool = await JsonAsync(home, "audit", "pool", FinishedRun.Id, "--iteration", "1", "--limit", "1");
        var id = pool.GetProperty("samples")[0].GetProperty("id").GetString()!;
        var prompt = $"{FinishedRun.Id}/{id.Split('/')[2]}";
        var before = await JsonAsync(home, "audit", "sample", id);

        var plan = await JsonAsync(home, "erase", "--prompt", prompt);
        Assert.False(plan.GetProperty("done").GetBoolean());
        Assert.Equal(
            before.GetProperty("text").GetString(), (await JsonAsync(home, "audit", "sample", id)).GetProperty("text").GetString());
        Assert.Equal(2, plan.GetProperty("runs")[0].GetProperty("samples").GetProperty("1").GetInt32());

        Assert.True((await JsonAsync(home, "erase", "--prompt", prompt, "--yes")).GetProperty("done").GetBoolean());

        var after = await JsonAsync(home, "audit", "sample", id);
        Assert.True(after.GetProperty("erased").GetBoolean());
        Assert.Equal(("", ""), (after.GetProperty("text").GetString(), after.GetProperty("prompt").GetString()));
        Assert.Equal(before.GetProperty("reward").GetDouble(), after.GetProperty("reward").GetDouble());
        foreach (var file in Directory.EnumerateFiles(Path.Combine(home.Home, "artifacts"), "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(
                $"\"text\":{JsonSerializer.Serialize(before.GetProperty("text").GetString())},\"tokens\":"
                    + $"{before.GetProperty("tokens").GetRawText()}",
                await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        }

        var verified = await JsonAsync(home, "verify", FinishedRun.Id);
        Assert.NotEqual(0, verified.GetProperty("erased").GetInt32());
        var rows = await JsonAsync(home, "audit", "sql", "select count(*), sum(tokens) from alt_samples");
        await JsonAsync(home, "audit", "rebuild");
        Assert.Equal(
            rows.GetRawText(), (await JsonAsync(home, "audit", "sql", "select count(*), sum(tokens) from alt_samples")).GetRawText());
        Assert.True((await JsonAsync(home, "erase", "--prompt", prompt, "--yes")).GetProperty("done").GetBoolean());
        await ForkAsync(home, id.Split('/')[2]);
    }

    /// <summary>Forks of the iteration that the erased prompt was drawn in, which sample or judge its prompts themselves.</summary>
    private static async Task ForkAsync(Installation home, string prompt)
    {
        await JsonAsync(
            home, "fork", FinishedRun.Id, "--at", "1", "--set", "sampling.topP=0.9", "--set", "iterations=1", "--run-id", "sampling");
        await JsonAsync(
            home, "fork", FinishedRun.Id, "--at", "1", "--set", "rewardModel.l2=2", "--set", "iterations=1", "--run-id", "judging");

        Assert.Equal("62 0", await home.QueryAsync(
            $"select concat_ws(' ', count(*), count(*) filter (where prompt = {prompt})) from alt_samples where run = 'sampling'"));
        Assert.Equal(
            "Abstained Abstained",
            await home.QueryAsync($"select string_agg(outcome, ' ') from alt_samples where run = 'judging' and prompt = {prompt}"));
        Assert.Equal("64", await home.QueryAsync("select count(outcome)::text from alt_samples where run = 'judging'"));
    }

    private static async Task<JsonElement> JsonAsync(Installation home, params string[] arguments)
    {
        var end = await home.RunAsync([.. arguments, "--json"]);
        Assert.True(end.ExitCode == 0, end.Errors);
        return JsonDocument.Parse(end.Output).RootElement;
    }

    private async Task<string> BackUpAsync(string name)
    {
        var file = run.Installation.PathOf(name);
        var end = await run.Installation.RunAsync("backup", file);
        Assert.True(end.ExitCode == 0, end.Errors);
        return file;
    }
}
