using System.Security.Cryptography;
using Alt.Domain;
using Alt.Model.Checkpoints;

namespace Alt.Activities;

/// <summary>Digests of the files that a run's config names.</summary>
public static class RunInputs
{
    private const string CheckpointKey = "model.checkpoint";

    /// <param name="known">Hashes that are recorded already, of files that may be gone since they were imported.</param>
    /// <exception cref="InputException">A file that the config names does not exist.</exception>
    public static async Task<IReadOnlyDictionary<string, string>> HashFilesAsync(
        RunConfig config, CancellationToken token, IReadOnlyDictionary<string, string>? known = null)
    {
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, path, files) in ImportedFiles(config, known).Concat(JudgeFiles(config, known)))
        {
            hashes[path] = known?.GetValueOrDefault(path) ?? await HashAsync(files(), token)
                ?? throw new InputException($"{key}: no such file '{path}'; give an existing file, for example with --set {key}=FILE");
        }

        return hashes;
    }

    /// <summary>
    /// Checks the files that a run has not imported yet, and its judge's checkpoints, which are never imported; those that it has may be
    /// gone.
    /// </summary>
    /// <exception cref="InputException">One is missing, or is no longer what the run began with.</exception>
    public static async Task RequireUnchangedAsync(RunState run, CancellationToken token)
    {
        var recorded = run.Started!.Inputs;
        var imported = ImportedFiles(run.Config, recorded).Where(f => f.Key == CheckpointKey ? run.Base is null : run.Data is null)
            .Select(f => (f.Key, f.Path, f.Files, Why: "the run has not imported it yet"));
        var judges = JudgeFiles(run.Config, recorded).Where(_ => run.Finished is null)
            .Select(f => (f.Key, f.Path, f.Files, Why: "the run's judge reads it"));
        foreach (var (key, path, files, why) in imported.Concat(judges))
        {
            var hash = await HashAsync(files(), token);
            if (hash != recorded[path])
            {
                throw new InputException(
                    $"{key}: '{path}' {(hash is null ? "is missing" : "has changed")} and {why}; put back the file that it began "
                    + "with, or start another run");
            }
        }
    }

    // One file's SHA-256, or that of several one after another; null where the first is missing.
    private static async Task<string?> HashAsync(IEnumerable<string> files, CancellationToken token)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        foreach (var path in files)
        {
            if (!File.Exists(path))
            {
                return null;
            }

            await using var file = File.OpenRead(path);
            for (int read; (read = await file.ReadAsync(buffer, token)) > 0;)
            {
                hash.AppendData(buffer, 0, read);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static IEnumerable<Input> ImportedFiles(RunConfig config, IReadOnlyDictionary<string, string>? recorded)
    {
        var named = new (string Key, string? Path)[]
        {
            ("data.grammar", config.Data.Grammar), ("data.prompts", config.Data.Prompts), ("data.evaluation", config.Data.Evaluation),
            ("data.labelled", config.Data.Labelled),
        };
        return named.Where(n => n.Path is not null).Select(n => Single(n.Key, n.Path!))
            .Concat(config.Model.Checkpoint is { } folder ? [Weights(CheckpointKey, folder, recorded)] : [])
            .Concat(config.Data.Text.Select(t => Single("data.text", t)));
    }

    private static IEnumerable<Input> JudgeFiles(RunConfig config, IReadOnlyDictionary<string, string>? recorded) =>
        config.Feedback.Judge.Folders("feedback.judge").Select(f => Weights(f.Key, f.Folder, recorded));

    private static Input Single(string key, string path) => new(key, path, () => [path]);

    // What was recorded of a folder counts, even if the folder has other files now.
    private static Input Weights(string key, string folder, IReadOnlyDictionary<string, string>? recorded) => new(
        key,
        WeightFiles.Candidates(folder).FirstOrDefault(path => recorded?.ContainsKey(path) == true) ?? WeightFiles.In(folder).Path,
        () => WeightFiles.In(folder).All);

    private readonly record struct Input(string Key, string Path, Func<IEnumerable<string>> Files);
}
