using System.Security.Cryptography;
using System.Text.Json;
using Alt.Domain;

namespace Alt.Infra;

/// <summary>Digests of what a run depends on: its config and the files that the config names.</summary>
public static class RunInputs
{
    private const string CheckpointKey = "model.checkpoint";

    public static string ConfigHash(RunConfig config) => Hash(config);

    /// <summary>SHA-256 of any value's JSON: the key under which its result can be found again.</summary>
    public static string Hash<T>(T value) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(value, AltJson.Options)));

    /// <param name="known">Hashes that are recorded already, of files that may be gone since they were imported.</param>
    /// <exception cref="InputException">A file that the config names does not exist.</exception>
    public static async Task<IReadOnlyDictionary<string, string>> HashFilesAsync(RunConfig config, CancellationToken token, IReadOnlyDictionary<string, string>? known = null)
    {
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, path) in Files(config))
        {
            hashes[path] = known?.GetValueOrDefault(path) ?? await HashFileAsync(path, token) ?? throw new InputException($"{key}: no such file '{path}'; give an existing file, for example with --set {key}=FILE");
        }

        return hashes;
    }

    /// <summary>Checks the files that a run has not imported yet, and its judge's checkpoints, which are never imported; those that it has may be gone.</summary>
    /// <exception cref="InputException">One is missing, or is no longer what the run began with.</exception>
    public static async Task RequireUnchangedAsync(RunState run, CancellationToken token)
    {
        var imported = ImportedFiles(run.Config).Where(f => f.Key == CheckpointKey ? run.Base is null : run.Data is null).Select(f => (f.Key, f.Path, Why: "the run has not imported it yet"));
        var judges = JudgeFiles(run.Config).Where(_ => run.Finished is null).Select(f => (f.Key, f.Path, Why: "the run's judge reads it"));
        foreach (var (key, path, why) in imported.Concat(judges))
        {
            var hash = await HashFileAsync(path, token);
            if (hash != run.Started!.Inputs[path])
            {
                throw new InputException($"{key}: '{path}' {(hash is null ? "is missing" : "has changed")} and {why}; put back the file that it began with, or start another run");
            }
        }
    }

    private static async Task<string?> HashFileAsync(string path, CancellationToken token)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, token));
    }

    private static IEnumerable<(string Key, string Path)> Files(RunConfig config) => ImportedFiles(config).Concat(JudgeFiles(config));

    private static IEnumerable<(string Key, string Path)> ImportedFiles(RunConfig config)
    {
        var named = new (string, string?)[]
        {
            ("data.grammar", config.Data.Grammar), ("data.prompts", config.Data.Prompts), ("data.evaluation", config.Data.Evaluation), ("data.labelled", config.Data.Labelled),
            (CheckpointKey, config.Model.Checkpoint is { } folder ? WeightsIn(folder) : null),
        };
        return named.Where(n => n.Item2 is not null).Select(n => (n.Item1, n.Item2!)).Concat(config.Data.Text.Select(t => ("data.text", t)));
    }

    private static IEnumerable<(string Key, string Path)> JudgeFiles(RunConfig config) => config.Feedback.Provider.Folders("feedback.provider").Select(f => (f.Key, WeightsIn(f.Folder)));

    private static string WeightsIn(string folder) => Path.Combine(folder, "model.safetensors");
}
