using Alt.Activities.Model;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>The models that a worker keeps at hand: the last few that were asked for, loaded from verified artifacts.</summary>
public sealed class Policies(ArtifactStore artifacts, string folder) : IDisposable
{
    /// <summary>The reference, the policy that samples and the one that is trained.</summary>
    private const int Kept = 3;

    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly LinkedList<(string Hash, RunDevice Device, Policy Policy)> loaded = [];

    /// <param name="device">Where the model is to be.</param>
    /// <exception cref="InputException">The device is not at hand.</exception>
    /// <remarks>Use the models only inside one activity of the one-at-a-time model queue: older ones are let go when a new one is loaded.</remarks>
    public async Task<Policy> LoadAsync(ArtifactRef checkpoint, RunDevice device, CancellationToken token)
    {
        await gate.WaitAsync(token);
        try
        {
            var entry = loaded.FirstOrDefault(l => l.Hash == checkpoint.Hash && l.Device == device);
            if (entry.Policy is not null)
            {
                loaded.Remove(entry);
            }
            else
            {
                // First, so that no device has to hold one more.
                while (loaded.Count >= Kept)
                {
                    loaded.Last!.Value.Policy.Dispose();
                    loaded.RemoveLast();
                }

                entry = (checkpoint.Hash, device, Policy.Load(await FolderAsync(checkpoint, token), ModelDevice.Of(device)));
            }

            loaded.AddFirst(entry);
            return entry.Policy;
        }
        finally
        {
            gate.Release();
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
        foreach (var (_, _, policy) in loaded)
        {
            policy.Dispose();
        }

        gate.Dispose();
    }
}
