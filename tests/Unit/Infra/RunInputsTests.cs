using Alt.Activities;
using Alt.Domain;

namespace Alt.Tests.Infra;

public sealed class RunInputsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("alt-inputs-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_fork_takes_over_the_hashes_of_imported_files_and_hashes_the_checkpoint_that_it_adds()
    {
        var config = new RunConfig
        {
            Data = new() { Grammar = "imported and gone" },
            Feedback = new() { Judge = new JudgeConfig.Checkpoint { Folder = _folder } },
        };
        var known = new Dictionary<string, string> { ["imported and gone"] = "known" };
        var missing = await Assert.ThrowsAsync<InputException>(() => RunInputs.HashFilesAsync(config, CancellationToken.None, known));
        Assert.Contains("feedback.judge.folder: no such file", missing.Message, StringComparison.Ordinal);

        var weights = Path.Combine(_folder, "model.safetensors");
        await File.WriteAllTextAsync(weights, "");
        var hashes = await RunInputs.HashFilesAsync(config, CancellationToken.None, known);
        Assert.Equal("known", hashes["imported and gone"]);
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", hashes[weights]);
    }

    [Fact]
    public async Task A_judges_checkpoint_must_stay_as_it_was_until_the_run_has_finished()
    {
        var weights = Path.Combine(_folder, "model.safetensors");
        var config = new RunConfig { Feedback = new() { Judge = new JudgeConfig.Checkpoint { Folder = _folder } } };
        var started = RunState.Fold([new RunEvent.RunStarted(
            "run", config, "", new Dictionary<string, string> { [weights] = "as it was" }, DateTimeOffset.UnixEpoch)]);

        Assert.Contains(
            "is missing and the run's judge reads it",
            (await Assert.ThrowsAsync<InputException>(() => RunInputs.RequireUnchangedAsync(started, CancellationToken.None))).Message,
            StringComparison.Ordinal);
        await File.WriteAllTextAsync(weights, "another");
        Assert.Contains(
            "has changed and the run's judge reads it",
            (await Assert.ThrowsAsync<InputException>(() => RunInputs.RequireUnchangedAsync(started, CancellationToken.None))).Message,
            StringComparison.Ordinal);
        await RunInputs.RequireUnchangedAsync(
            started.Apply(new RunEvent.RunFinished("", "", 1, DateTimeOffset.UnixEpoch)), CancellationToken.None);
    }
}
