using System.Security.Cryptography;
using System.Text;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra;

public sealed class ArtifactStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("alt-artifacts-").FullName;
    private readonly ArtifactStore _store;

    public ArtifactStoreTests() => _store = new ArtifactStore(Path.Combine(_root, "artifacts"));

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private sealed record Row(int Index, string Text, double LogProbability);

    [Fact]
    public async Task An_artifact_is_named_by_the_hash_and_size_of_its_content()
    {
        var artifact = await _store.PutAsync(Text("hello"), "text/plain");

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("hello"u8)), artifact.Hash);
        Assert.Equal(5, artifact.Size);
        Assert.Equal(Path.Combine(_store.Root, artifact.Hash[..2], artifact.Hash), _store.PathOf(artifact));
        Assert.Equal(Text("hello"), await _store.ReadAsync(artifact));
    }

    [Fact]
    public async Task Equal_content_is_stored_once()
    {
        var first = await _store.PutAsync(Text("same"), "text/plain");
        var second = await _store.PutAsync(new MemoryStream(Text("same")), "text/plain");

        Assert.Equal(first, second);
        Assert.Single(Directory.GetFiles(_store.Root, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_store_above_another_reads_both_and_writes_only_into_itself()
    {
        var below = await _store.PutAsync(Text("below"), "text/plain");
        var above = new ArtifactStore(Path.Combine(_root, "above"), _store);

        var known = await above.PutAsync(Text("below"), "text/plain");
        var added = await above.PutAsync(Text("added"), "text/plain");

        Assert.Equal(below, known);
        Assert.Equal(Text("added"), await above.ReadAsync(added));
        Assert.False(_store.Exists(added));
        Assert.Equal(2, Directory.GetFiles(above.Root, "*", SearchOption.AllDirectories).Length);
        File.Delete(above.PathOf(known));
        Assert.Equal(Text("below"), await above.ReadAsync(below));
    }

    [Fact]
    public async Task A_large_stream_is_read_back_byte_for_byte()
    {
        var content = new byte[3_000_001];
        new Random(1).NextBytes(content);

        var artifact = await _store.PutAsync(new MemoryStream(content), ArtifactStore.Bytes);

        Assert.Equal(content.LongLength, artifact.Size);
        Assert.Equal(content, await _store.ReadAsync(artifact));
        Assert.Equal(content, await File.ReadAllBytesAsync(await _store.VerifiedPathAsync(artifact)));
    }

    [Fact]
    public async Task Json_lines_come_back_in_their_order()
    {
        Row[] rows = [.. Enumerable.Range(0, 5000)
            .Select(i => new Row(i, $"línea <{i}>\n\"", i == 7 ? double.NegativeInfinity : -i / 3.0))];

        var artifact = await _store.PutJsonLinesAsync(rows);

        Assert.Equal(rows, await _store.ReadJsonLinesAsync<Row>(artifact).ToListAsync());
        Assert.Equal(5000, File.ReadLines(_store.PathOf(artifact)).Count());
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("")]
    public async Task Lines_are_read_whole_however_long_they_are(string lastEnd)
    {
        string[] lines = [.. new[] { 1, 70_000, 2, 300_000, 65_533, 3 }.Select(length => new string('ü', length))];
        var content = string.Join('\n', lines.Select(line => $"\"{line}\"")) + lastEnd;

        var artifact = await _store.PutAsync(Text(content), ArtifactStore.JsonLines);

        Assert.Equal(lines, await _store.ReadJsonLinesAsync<string>(artifact).ToArrayAsync());
        Assert.Equal(lines[4..], await _store.ReadJsonLinesAsync<string>(artifact, 4).ToArrayAsync());
    }

    [Fact]
    public async Task A_line_of_another_shape_is_named_by_its_number()
    {
        var artifact = await _store.PutAsync(
            Text("{\"index\":1,\"text\":\"a\",\"logProbability\":0}\n{\"index\":\"x\"}\n"), ArtifactStore.JsonLines);

        var error = await Assert.ThrowsAsync<ArtifactException>(async () => await _store.ReadJsonLinesAsync<Row>(artifact).ToListAsync());

        Assert.Contains($"{artifact.ShortHash}", error.Message, StringComparison.Ordinal);
        Assert.Contains("line 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_artifact_is_one_line_with_its_hash_and_path()
    {
        var artifact = new ArtifactRef(new string('a', 64), 3, "text/plain");

        var error = await Assert.ThrowsAsync<ArtifactException>(() => _store.OpenReadAsync(artifact));

        Assert.DoesNotContain('\n', error.Message);
        Assert.Contains("artifact aaaaaaaaaaaa (text/plain, 3 bytes) is missing", error.Message, StringComparison.Ordinal);
        Assert.Contains(_store.PathOf(artifact), error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hellO", "expected SHA-256")]
    [InlineData("hell", "expected 5 bytes, found 4")]
    public async Task A_corrupt_artifact_is_refused_before_a_byte_is_read(string damaged, string expected)
    {
        var artifact = await _store.PutAsync(Text("hello"), "text/plain");
        Overwrite(artifact, damaged);

        var error = await Assert.ThrowsAsync<ArtifactException>(() => _store.OpenReadAsync(artifact));

        Assert.Contains($"artifact {artifact} is corrupt: {expected}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Storing_the_content_again_heals_a_corrupt_artifact()
    {
        var artifact = await _store.PutAsync(Text("hello"), "text/plain");
        Overwrite(artifact, "hellO");

        await _store.PutAsync(Text("hello"), "text/plain");

        Assert.Equal(Text("hello"), await _store.ReadAsync(artifact));
    }

    [Fact]
    public async Task A_folder_is_named_by_one_hash_and_comes_back_whole()
    {
        var folder = CheckpointFolder();

        var manifest = await _store.PutFolderAsync(folder);
        await _store.ExtractFolderAsync(manifest, Path.Combine(_root, "copy"));

        Assert.Equal(manifest, await _store.PutFolderAsync(Path.Combine(_root, "copy")));
        Assert.Equal(["config.json", "tokenizer/vocab.json"], (await _store.ReadFolderAsync(manifest)).Keys);
        Assert.Equal("{\"a\":0}", await File.ReadAllTextAsync(Path.Combine(_root, "copy", "tokenizer", "vocab.json")));
    }

    [Fact]
    public async Task A_folder_with_a_corrupt_file_is_not_extracted_at_all()
    {
        var manifest = await _store.PutFolderAsync(CheckpointFolder());
        Overwrite((await _store.ReadFolderAsync(manifest))["tokenizer/vocab.json"], "{\"a\":1}");

        await Assert.ThrowsAsync<ArtifactException>(() => _store.ExtractFolderAsync(manifest, Path.Combine(_root, "copy")));

        Assert.Empty(Directory.GetDirectories(_root, "copy*"));
    }

    [Fact]
    public async Task A_write_that_is_cancelled_leaves_nothing_behind()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _store.PutAsync(Text("hello"), "text/plain", cancelled.Token));

        Assert.Empty(Directory.GetFileSystemEntries(_store.Root));
    }

    [Fact]
    public async Task Abandoned_temporary_files_are_deleted_and_those_of_living_writers_stay()
    {
        Directory.CreateDirectory(_store.Root);
        var abandoned = Path.Combine(_store.Root, "abandoned.part");
        var living = Path.Combine(_store.Root, "living.part");
        await File.WriteAllTextAsync(abandoned, "half");
        await using FileStream writer = new(living, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        File.SetLastWriteTimeUtc(abandoned, DateTime.UtcNow.AddHours(-1));
        File.SetLastWriteTimeUtc(living, DateTime.UtcNow.AddHours(-1));

        _store.DeleteAbandonedTemporaryFiles();

        Assert.Equal([living], Directory.GetFiles(_store.Root));
    }

    [TinyDisk.Fact]
    public async Task A_full_disk_is_one_clear_line_and_leaves_nothing_half_written()
    {
        using var disk = new TinyDisk(Path.Combine(_root, "disk"), kibibytes: 256);
        var store = new ArtifactStore(Path.Combine(disk.Path, "artifacts"));
        var before = await store.PutAsync(Text("written before"), "text/plain");

        var error = await Assert.ThrowsAsync<ArtifactException>(() => store.PutAsync(new byte[1 << 20], ArtifactStore.Bytes));

        Assert.DoesNotContain('\n', error.Message);
        Assert.Contains(
            $"cannot write an artifact ({ArtifactStore.Bytes}) to {store.Root}: No space left on device", error.Message,
            StringComparison.Ordinal);
        Assert.Equal([store.PathOf(before)], Directory.GetFiles(store.Root, "*", SearchOption.AllDirectories));
        Assert.Equal(Text("written before"), await store.ReadAsync(before));
    }

    private void Overwrite(ArtifactRef artifact, string content)
    {
        File.SetAttributes(_store.PathOf(artifact), FileAttributes.Normal);
        File.WriteAllText(_store.PathOf(artifact), content);
    }

    private string CheckpointFolder()
    {
        var folder = Path.Combine(_root, "checkpoint");
        Directory.CreateDirectory(Path.Combine(folder, "tokenizer"));
        File.WriteAllText(Path.Combine(folder, "config.json"), "{}");
        File.WriteAllText(Path.Combine(folder, "tokenizer", "vocab.json"), "{\"a\":0}");
        return folder;
    }
}
