using Alt.Infra;

namespace Alt.Host;

/// <summary>
/// A folder for one replay, deleted when it ends. A killed replay leaves its folder behind, and the next one deletes it: beside
/// every folder lies a file that its process holds locked as long as it lives.
/// </summary>
internal sealed class Scratch : IDisposable
{
    private const string LockSuffix = ".lock";

    private readonly FileLock _held;
    private readonly bool _keep;

    private Scratch(string folder, FileLock held, bool keep) => (Folder, _held, _keep) = (folder, held, keep);

    public string Folder { get; }

    /// <param name="keep">Keeps the folder after the replay.</param>
    public static async Task<Scratch> CreateAsync(AltHome home, string name, bool keep, CancellationToken token)
    {
        Directory.CreateDirectory(home.Replays);
        // A folder that is being made is not locked yet.
        using var alone = await FileLock.TakeAsync(home.Lock("replay"), exclusive: true, token);
        foreach (var file in Directory.EnumerateFiles(home.Replays, $"*{LockSuffix}").ToArray())
        {
            if (FileLock.TryTake(file, exclusive: true) is { } abandoned)
            {
                new Scratch(file[..^LockSuffix.Length], abandoned, keep: false).Dispose();
            }
        }

        var folder = Path.Combine(home.Replays, $"{name}-{Guid.NewGuid():N}");
        var held = FileLock.TryTake(folder + LockSuffix, exclusive: true)!;
        Directory.CreateDirectory(folder);
        return new Scratch(folder, held, keep);
    }

    public void Dispose()
    {
        if (!_keep && Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }

        File.Delete(Folder + LockSuffix);
        _held.Dispose();
    }
}
