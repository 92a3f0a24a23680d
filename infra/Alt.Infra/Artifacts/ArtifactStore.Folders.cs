using Alt.Domain;

namespace Alt.Infra;

public sealed partial class ArtifactStore
{
    /// <summary>Media type of an artifact that lists the files of a folder.</summary>
    public const string Folder = "application/vnd.alt.folder+json";

    /// <summary>Media type of a folder's files, and of any artifact that is only bytes.</summary>
    public const string Bytes = "application/octet-stream";

    /// <summary>
    /// Stores a folder, for example a model checkpoint: each file as an artifact of its own, and a manifest that lists
    /// their relative paths and hashes in ordinal order. The manifest's hash names the whole folder.
    /// </summary>
    /// <exception cref="ArtifactException">A file could not be written.</exception>
    public async Task<ArtifactRef> PutFolderAsync(string folder, CancellationToken token = default)
    {
        var files = new SortedDictionary<string, ArtifactRef>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            await using var file = File.OpenRead(path);
            files[Path.GetRelativePath(folder, path)] = await PutAsync(file, Bytes, token);
        }

        var manifest = await PutJsonAsync(files, token);
        return manifest with { MediaType = Folder };
    }

    /// <summary>The files of a stored folder by relative path; their content is verified when it is read.</summary>
    /// <exception cref="ArtifactException">The manifest is missing or corrupt.</exception>
    public async Task<IReadOnlyDictionary<string, ArtifactRef>> ReadFolderAsync(ArtifactRef folder, CancellationToken token = default) =>
        await ReadJsonAsync<SortedDictionary<string, ArtifactRef>>(folder, token);

    /// <summary>
    /// Copies a stored folder to <paramref name="target"/>, which must not exist yet. It appears there only when every file
    /// was verified and copied.
    /// </summary>
    /// <exception cref="ArtifactException">A file is missing or corrupt, or could not be copied; the target does not exist.</exception>
    public async Task ExtractFolderAsync(ArtifactRef folder, string target, CancellationToken token = default)
    {
        var files = await ReadFolderAsync(folder, token);
        var temporary = $"{target}.{Guid.NewGuid():N}{TemporarySuffix}";
        try
        {
            foreach ((var name, var artifact) in files)
            {
                await CopyAsync(artifact, Path.Combine(temporary, name), token);
            }

            Directory.Move(temporary, target);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ArtifactException($"cannot copy the folder {folder} to {target}: {OneLine(error)}", error);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }

    private async Task CopyAsync(ArtifactRef artifact, string path, CancellationToken token)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var source = await OpenReadAsync(artifact, token);
        await using FileStream copy = new(path, FileMode.CreateNew, FileAccess.Write);
        await source.CopyToAsync(copy, token);
    }
}
