using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;
using Alt.Domain;

namespace Alt.Infra;

/// <summary>What a backup holds.</summary>
/// <param name="Dump">SHA-256 of the database's dump.</param>
/// <param name="Files">SHA-256 of every other file by its path below the artifact store.</param>
public sealed record BackupManifest(string Dump, DateTimeOffset At, IReadOnlyDictionary<string, string> Files);

/// <summary>
/// One tar file with the ledger's database and the artifact store. The database is dumped first, as of one moment: what its events name
/// was stored before they were recorded, so the files copied afterwards are all that they need. The manifest comes last: a file without
/// it is incomplete.
/// </summary>
public static class Backup
{
    private const string DumpName = "database.dump", ManifestName = "manifest.json", FilesPrefix = "artifacts/";

    /// <exception cref="ArtifactException">An artifact is corrupt: a backup must not hide that.</exception>
    public static async Task<BackupManifest> WriteAsync(
        PostgresCluster cluster, string database, ArtifactStore artifacts, Stream output, string scratch, DateTimeOffset now,
        CancellationToken token = default)
    {
        using var folder = new ScratchFolder(scratch);
        var dump = Path.Combine(folder.Path, DumpName);
        await cluster.DumpAsync(database, dump, token);
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await using var tar = new TarWriter(output, TarEntryFormat.Pax, leaveOpen: true);
        await tar.WriteEntryAsync(dump, DumpName, token);
        foreach (var path in Kept(artifacts))
        {
            var name = Path.GetRelativePath(artifacts.Root, path);
            files[name] = await HashAsync(path, token);
            if (IsHash(Path.GetFileName(path)) && files[name] != Path.GetFileName(path))
            {
                throw new ArtifactException(
                    $"artifact {files[name][..12]} is corrupt: {path} does not have the content that it is named by; `./alt verify RUN` "
                    + "shows which run it belongs to");
            }

            await tar.WriteEntryAsync(path, FilesPrefix + name, token);
        }

        var manifest = new BackupManifest(await HashAsync(dump, token), now, files);
        using var json = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(manifest, AltJson.Options));
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, ManifestName) { DataStream = json }, token);
        return manifest;
    }

    /// <summary>
    /// Restores into a home without runs. Everything is first unpacked elsewhere and checked: if that fails, nothing is changed.
    /// </summary>
    /// <param name="scratch">A directory on the artifact store's file system.</param>
    /// <exception cref="InputException">The file is no backup, or is damaged.</exception>
    public static async Task<BackupManifest> ReadAsync(
        PostgresCluster cluster, string database, ArtifactStore artifacts, string file, string scratch, CancellationToken token = default)
    {
        using var folder = new ScratchFolder(scratch);
        var manifest = await UnpackAsync(file, folder.Path, token);
        foreach (var (name, hash) in manifest.Files.Append(new(DumpName, manifest.Dump)))
        {
            var path = Path.Combine(folder.Path, name == DumpName ? DumpName : FilesPrefix + name);
            if (!File.Exists(path) || await HashAsync(path, token) != hash)
            {
                throw new InputException($"{file} is damaged: {name} is not what the manifest says; use another backup");
            }
        }

        await cluster.LoadAsync(database, Path.Combine(folder.Path, DumpName), token);
        foreach (var name in manifest.Files.Keys)
        {
            var target = Path.Combine(artifacts.Root, name);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Move(Path.Combine(folder.Path, FilesPrefix + name), target, overwrite: true);
        }

        return manifest;
    }

    private static async Task<BackupManifest> UnpackAsync(string file, string folder, CancellationToken token)
    {
        try
        {
            await TarFile.ExtractToDirectoryAsync(file, folder, overwriteFiles: false, token);
            return JsonSerializer.Deserialize<BackupManifest>(
                await File.ReadAllTextAsync(Path.Combine(folder, ManifestName), token), AltJson.Options)!;
        }
        catch (FileNotFoundException e) when (!File.Exists(file))
        {
            throw new InputException($"no such file '{file}'; expected a backup that ./alt backup wrote", e);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException
            or FileNotFoundException or JsonException or ArgumentException or FormatException)
        {
            throw new InputException($"{file} is not a complete backup: {e.Message.ReplaceLineEndings(" ")}; use another one", e);
        }
    }

    private static IEnumerable<string> Kept(ArtifactStore artifacts) => !Directory.Exists(artifacts.Root) ? [] :
        Directory.EnumerateDirectories(artifacts.Root).SelectMany(Directory.EnumerateFiles).Order(StringComparer.Ordinal);

    private static bool IsHash(string name) => name.Length == 64 && name.All(char.IsAsciiHexDigitLower);

    private static async Task<string> HashAsync(string path, CancellationToken token)
    {
        await using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, token));
    }

    /// <summary>A folder that is always deleted afterwards.</summary>
    private sealed class ScratchFolder : IDisposable
    {
        public ScratchFolder(string parent)
        {
            Path = System.IO.Path.Combine(parent, $"backup-{Guid.NewGuid():N}");
            Directory.CreateDirectory(Path);
        }

        public string Path { get; }

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
