using System.Security.Cryptography;
using Alt.Domain;

namespace Alt.Infra;

/// <summary>
/// The texts, token ids, judge replies and weights of all runs, in one directory, each named by the SHA-256 of its content:
/// <c>ab/abcdef…</c>. Equal content is stored once; what was stored never changes; what is read is verified first.
/// </summary>
/// <remarks>
/// A file appears under its name only when it is whole and on disk: it is written to a temporary name in the same directory,
/// synced and renamed. Any number of processes may share a store.
/// </remarks>
public sealed partial class ArtifactStore
{
    private const string TemporarySuffix = ".part";
    private static readonly TimeSpan TemporaryFileGrace = TimeSpan.FromMinutes(1);

    private readonly ArtifactStore? _below;

    /// <param name="root">The directory; it is created when first written to.</param>
    /// <param name="below">Where to read what this store lacks; it is never written to. Default: nowhere.</param>
    public ArtifactStore(string root, ArtifactStore? below = null) => (Root, _below) = (Path.GetFullPath(root), below);

    /// <summary>The store's directory, absolute.</summary>
    public string Root { get; }

    /// <summary>The path of the artifact with this hash, whether it exists or not.</summary>
    public string PathOf(ArtifactRef artifact) =>
        PathOf(artifact.Hash) is var path && _below is not null && !File.Exists(path) ? _below.PathOf(artifact) : path;

    /// <summary>Stores the bytes and returns their name.</summary>
    /// <exception cref="ArtifactException">The bytes could not be written (disk full, no permission); nothing is left behind.</exception>
    public Task<ArtifactRef> PutAsync(ReadOnlyMemory<byte> content, string mediaType, CancellationToken token = default) =>
        WriteAsync(mediaType, async stream => await stream.WriteAsync(content, token), token);

    /// <summary>Stores the rest of a stream and returns its name.</summary>
    /// <exception cref="ArtifactException">The content could not be written; nothing is left behind.</exception>
    public Task<ArtifactRef> PutAsync(Stream content, string mediaType, CancellationToken token = default) =>
        WriteAsync(mediaType, stream => content.CopyToAsync(stream, token), token);

    /// <summary>Whether a file of this name exists; its content is not checked.</summary>
    public bool Exists(ArtifactRef artifact) => File.Exists(PathOf(Resolve(artifact)));

    /// <summary>Opens an artifact after checking its size and hash, so that no reader ever sees a wrong byte.</summary>
    /// <exception cref="ArtifactException">The artifact is missing or corrupt.</exception>
    public async Task<Stream> OpenReadAsync(ArtifactRef artifact, CancellationToken token = default)
    {
        artifact = Resolve(artifact);
        var stream = Open(artifact);
        try
        {
            await VerifyAsync(artifact, stream, token);
            stream.Position = 0;
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>The whole content of an artifact, verified.</summary>
    /// <exception cref="ArtifactException">The artifact is missing or corrupt.</exception>
    public async Task<byte[]> ReadAsync(ArtifactRef artifact, CancellationToken token = default)
    {
        await using var stream = await OpenReadAsync(artifact, token);
        var content = new byte[stream.Length];
        await stream.ReadExactlyAsync(content, token);
        return content;
    }

    /// <summary>Checks an artifact's size and hash and returns its path, for readers that must map the file themselves.</summary>
    /// <exception cref="ArtifactException">The artifact is missing or corrupt.</exception>
    public async Task<string> VerifiedPathAsync(ArtifactRef artifact, CancellationToken token = default)
    {
        await using var stream = await OpenReadAsync(artifact, token);
        return PathOf(Resolve(artifact));
    }

    /// <summary>Deletes the half-written files of killed writers. The files of live writers are locked and stay.</summary>
    public void DeleteAbandonedTemporaryFiles()
    {
        if (!Directory.Exists(Root))
        {
            return;
        }

        var newest = DateTime.UtcNow - TemporaryFileGrace;
        foreach (var path in Directory.EnumerateFiles(Root, "*" + TemporarySuffix))
        {
            // A writer locks its file right after creating it; the minimum age covers the moment in between.
            if (File.GetLastWriteTimeUtc(path) < newest && IsUnlocked(path))
            {
                File.Delete(path);
            }
        }
    }

    private static bool IsUnlocked(string path)
    {
        try
        {
            using FileStream _ = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private string PathOf(string hash) => Path.Combine(Root, hash[..2], hash);

    private async Task<ArtifactRef> WriteAsync(string mediaType, Func<Stream, Task> write, CancellationToken token)
    {
        var temporary = Path.Combine(Root, Guid.NewGuid().ToString("N") + TemporarySuffix);
        try
        {
            Directory.CreateDirectory(Root);
            var artifact = await WriteTemporaryAsync(temporary, mediaType, write, token);
            Publish(temporary, PathOf(artifact.Hash));
            return artifact;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new ArtifactException(
                $"cannot write an artifact ({mediaType}) to {Root}: {OneLine(error)}; free space or grant access "
                    + "there, then resume the run",
                error);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static async Task<ArtifactRef> WriteTemporaryAsync(
        string path, string mediaType, Func<Stream, Task> write, CancellationToken token)
    {
        await using FileStream file = new(
            path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 17, FileOptions.Asynchronous);
        using var sha = SHA256.Create();
        await using (var hashing = new CryptoStream(file, sha, CryptoStreamMode.Write, leaveOpen: true))
        {
            await write(hashing);
            await hashing.FlushFinalBlockAsync(token);
        }

        token.ThrowIfCancellationRequested();
        file.Flush(flushToDisk: true);
        return new ArtifactRef(Convert.ToHexStringLower(sha.Hash!), file.Length, mediaType);
    }

    private void Publish(string temporary, string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        var newDirectory = !Directory.Exists(directory);
        Directory.CreateDirectory(directory);
        File.SetAttributes(temporary, FileAttributes.ReadOnly);

        // Also over an existing file: equal content changes nothing, and a damaged file is repaired.
        File.Move(temporary, path, overwrite: true);
        Posix.SyncDirectory(directory);
        if (newDirectory)
        {
            Posix.SyncDirectory(Root);
        }
    }

    private FileStream Open(ArtifactRef artifact)
    {
        var path = PathOf(artifact);
        try
        {
            return new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 1 << 17,
                FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ArtifactException(
                $"artifact {artifact} is missing: expected the file {path}; restore it from a backup, or make it "
                    + "again by repeating its stage",
                error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ArtifactException($"artifact {artifact} cannot be read from {path}: {OneLine(error)}", error);
        }
    }

    private static async Task VerifyAsync(ArtifactRef artifact, FileStream stream, CancellationToken token)
    {
        if (stream.Length != artifact.Size)
        {
            throw Corrupt(artifact, stream.Name, $"expected {artifact.Size} bytes, found {stream.Length}");
        }

        byte[] hash;
        try
        {
            hash = await SHA256.HashDataAsync(stream, token);
        }
        catch (IOException error)
        {
            throw new ArtifactException($"artifact {artifact} cannot be read from {stream.Name}: {OneLine(error)}", error);
        }

        var found = Convert.ToHexStringLower(hash);
        if (found != artifact.Hash)
        {
            throw Corrupt(artifact, stream.Name, $"expected SHA-256 {artifact.Hash}, found {found}");
        }
    }

    private static ArtifactException Corrupt(ArtifactRef artifact, string path, string difference) =>
        new($"artifact {artifact} is corrupt: {difference} in {path}; delete the file and restore it from a backup, or repeat its stage");

    private static string OneLine(Exception error) => error.Message.ReplaceLineEndings(" ");
}
