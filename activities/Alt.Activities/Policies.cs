using Alt.Domain;
using Alt.Infra;
using Alt.Model.Network;
using Alt.Model.Sampling;

namespace Alt.Activities;

/// <summary>The models that a worker keeps in memory: the last few that were asked for, loaded from verified artifacts.</summary>
public sealed class Policies(ArtifactStore artifacts, string folder) : IDisposable
{
    /// <summary>The reference, the policy that samples and the one that is trained.</summary>
    private const int Kept = 3;

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly LinkedList<(string Hash, RunDevice Device, Policy Policy)> _loaded = [];

    /// <param name="device">Where the model is to be.</param>
    /// <exception cref="InputException">The device is not available.</exception>
    /// <remarks>
    /// Use the models only inside one activity of the one-at-a-time model queue: older ones are released when a new one is loaded.
    /// </remarks>
    public async Task<Policy> LoadAsync(ArtifactRef checkpoint, RunDevice device, CancellationToken token)
    {
        await _gate.WaitAsync(token);
        try
        {
            var entry = _loaded.FirstOrDefault(l => l.Hash == checkpoint.Hash && l.Device == device);
            if (entry.Policy is not null)
            {
                _loaded.Remove(entry);
            }
            else
            {
                // First, so that no device has to hold one more.
                while (_loaded.Count >= Kept)
                {
                    _loaded.Last!.Value.Policy.Dispose();
                    _loaded.RemoveLast();
                }

                entry = (checkpoint.Hash, device, Policy.Load(await FolderAsync(checkpoint, token), ModelDevice.Of(device)));
            }

            _loaded.AddFirst(entry);
            return entry.Policy;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>A folder with the checkpoint's files, for everything that reads folders.</summary>
    public async Task<string> FolderAsync(ArtifactRef checkpoint, CancellationToken token)
    {
        var path = Path.Combine(folder, checkpoint.Hash);
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(folder);
            try
            {
                await artifacts.ExtractFolderAsync(checkpoint, path, token);
            }
            catch (ArtifactException) when (Directory.Exists(path))
            {
                // Another worker was faster; a folder appears whole.
            }
        }

        return path;
    }

    /// <summary>A name for a checkpoint that is about to be written; the caller deletes the folder.</summary>
    public string NewFolder()
    {
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, $"new-{Guid.NewGuid():N}");
    }

    public void Dispose()
    {
        foreach (var (_, _, policy) in _loaded)
        {
            policy.Dispose();
        }

        _gate.Dispose();
    }
}
