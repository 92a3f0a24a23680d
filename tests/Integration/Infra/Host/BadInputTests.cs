namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed class BadInputTests
{
    private const string Row = """{"prompt":{"text":"never said","toxicity":0.1},"continuation":{"text":"either","toxicity":0.2}}""";

    [Fact]
    public async Task An_unknown_key_is_refused_before_anything_is_made()
    {
        await using var installation = new Installation();

        var end = await installation.RunAsync("run", installation.Config, "--set", "training.stepz=3");

        Assert.Equal(2, end.ExitCode);
        Assert.Contains("training.stepz", end.OnlyLine, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(installation.Home, "pg")));
    }

    [FactWithoutGpu]
    public async Task A_GPU_that_is_not_there_is_one_line_and_no_run_begins()
    {
        await using var installation = new Installation();

        var end = await installation.RunAsync("run", installation.Config, "--set", "device=cuda", "--run-id", "never");

        Assert.Equal(2, end.ExitCode);
        Assert.Contains("device: cuda, but libtorch finds no GPU on this machine; expected ", end.OnlyLine, StringComparison.Ordinal);
        Assert.Equal(2, (await installation.RunAsync("status", "never")).ExitCode);
    }

    [Fact]
    public async Task A_missing_file_of_prompts_is_named_and_no_run_begins()
    {
        await using var installation = new Installation();

        var end = await installation.RunAsync("run", FilesConfig(installation, "prompts.jsonl"), "--run-id", "never");

        Assert.Equal(2, end.ExitCode);
        Assert.Contains("prompts.jsonl", end.OnlyLine, StringComparison.Ordinal);
        Assert.Equal(2, (await installation.RunAsync("status", "never")).ExitCode);
    }

    [Fact]
    public async Task A_malformed_line_is_named_by_its_number_and_never_repeated()
    {
        await using var installation = new Installation();
        await File.WriteAllLinesAsync(installation.PathOf("prompts.jsonl"), [Row, Row[..^1]]);

        var end = await installation.RunAsync("run", FilesConfig(installation, "prompts.jsonl"), "--run-id", "malformed");

        Assert.NotEqual(0, end.ExitCode);
        var complaint = Assert.Single(end.Errors.Split('\n'), line => line.StartsWith("alt: ", StringComparison.Ordinal));
        Assert.Contains("prompts.jsonl:2", complaint, StringComparison.Ordinal);
        Assert.DoesNotContain("never said", end.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_changed_or_is_gone_before_the_run_imported_it_is_named_when_the_run_continues()
    {
        await using var installation = new Installation();
        var prompts = installation.PathOf("prompts.jsonl");
        await File.WriteAllLinesAsync(prompts, [Row, Row[..^1]]);
        Assert.Equal(1, (await installation.RunAsync("run", FilesConfig(installation, "prompts.jsonl"), "--run-id", "changing")).ExitCode);

        await File.WriteAllLinesAsync(prompts, [Row, Row]);
        var changed = await installation.RunAsync("retry", "changing");
        File.Delete(prompts);
        var missing = await installation.RunAsync("retry", "changing");

        foreach (var (end, how) in new[] { (changed, "has changed"), (missing, "is missing") })
        {
            Assert.Equal(1, end.ExitCode);
            var complaint = Assert.Single(end.Errors.Split('\n'), line => line.StartsWith("alt: ", StringComparison.Ordinal));
            Assert.Contains(
                $"'{prompts}' {how} and the run has not imported it yet; put back the file that it began with, or start another run",
                complaint, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task PostgreSQL_that_cannot_start_is_one_line()
    {
        await using var installation = new Installation();
        Directory.CreateDirectory(Path.Combine(installation.Home, "pg", "data", "base"));

        var end = await installation.RunAsync("run", installation.Config);

        Assert.Equal(1, end.ExitCode);
        Assert.Contains("PostgreSQL", end.OnlyLine, StringComparison.Ordinal);
        Assert.Contains(Path.Combine("pg", "data"), end.OnlyLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_of_another_shape_is_one_line_that_names_the_tensor()
    {
        await using var installation = new Installation();
        var checkpoint = installation.PathOf("checkpoint");
        Directory.CreateDirectory(checkpoint);
        foreach (var file in Directory.GetFiles(Repository.PathOf("tests", "Golden", "gpt2-tiny", "policy")))
        {
            File.Copy(file, Path.Combine(checkpoint, Path.GetFileName(file)));
        }

        var config = Path.Combine(checkpoint, "config.json");
        await File.WriteAllTextAsync(
            config, (await File.ReadAllTextAsync(config)).Replace("\"n_embd\": 12", "\"n_embd\": 24", StringComparison.Ordinal));

        var end = await installation.RunAsync("run", installation.Config, "--set", $"model.checkpoint={checkpoint}");

        Assert.Equal(1, end.ExitCode);
        var complaint = Assert.Single(end.Errors.Split('\n'), line => line.StartsWith("alt: ", StringComparison.Ordinal));
        Assert.Contains(Path.Combine(checkpoint, "model.safetensors"), complaint, StringComparison.Ordinal);
        Assert.Contains("transformer.wte.weight has shape [17, 12], expected [17, 24]", complaint, StringComparison.Ordinal);
    }

    [TinyDisk.Fact]
    public async Task A_full_disk_ends_the_run_with_one_line_and_leaves_no_half_artifact()
    {
        await using var installation = new Installation();
        using var disk = new TinyDisk(Path.Combine(installation.Home, "artifacts"), kibibytes: 64);

        var end = await installation.RunAsync("run", installation.Config, "--run-id", "full");

        Assert.Equal(1, end.ExitCode);
        var complaint = Assert.Single(end.Errors.Split('\n'), line => line.StartsWith("alt: ", StringComparison.Ordinal));
        Assert.Contains("space", complaint, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(new DirectoryInfo(disk.Path).EnumerateFiles("*.tmp", SearchOption.AllDirectories));
    }

    /// <summary>A config that takes its prompts from files.</summary>
    private static string FilesConfig(Installation installation, string prompts)
    {
        var path = installation.PathOf("files.yaml");
        File.WriteAllText(path, $"data: {{ prompts: {prompts}, evaluation: {prompts} }}\n");
        return path;
    }
}
