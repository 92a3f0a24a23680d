using System.Text.Json;
using Alt.Domain;

namespace Alt.Infra;

public sealed partial class ArtifactStore
{
    /// <summary>Suffix of the file beside an erased artifact's path that names its replacement.</summary>
    private const string ErasedSuffix = ".erased";

    /// <summary>The artifact that is read for this name: itself, or its replacement after texts in it were erased.</summary>
    public ArtifactRef Resolve(ArtifactRef artifact)
    {
        while (!File.Exists(PathOf(artifact)) && File.Exists(PathOf(artifact) + ErasedSuffix))
        {
            artifact = JsonSerializer.Deserialize<ArtifactRef>(File.ReadAllText(PathOf(artifact) + ErasedSuffix), AltJson.Options)!;
        }

        return artifact;
    }

    /// <summary>
    /// Removes an artifact permanently; from now on its readers get the replacement. A second call changes nothing.
    /// </summary>
    /// <exception cref="ArtifactException">The disk is full or may not be written to; the artifact still exists.</exception>
    public void Replace(string hash, ArtifactRef by)
    {
        string path = PathOf(hash), temporary = Path.Combine(Root, Guid.NewGuid().ToString("N") + TemporarySuffix);
        if (hash == by.Hash)
        {
            return;
        }

        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                file.Write(JsonSerializer.SerializeToUtf8Bytes(by, AltJson.Options));
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path + ErasedSuffix, overwrite: true);
            Posix.SyncDirectory(Path.GetDirectoryName(path)!);
            File.Delete(path);
            Posix.SyncDirectory(Path.GetDirectoryName(path)!);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new ArtifactException(
                $"cannot erase the artifact {hash[..12]} in {Root}: {OneLine(error)}; fix that and erase again", error);
        }
    }
}
