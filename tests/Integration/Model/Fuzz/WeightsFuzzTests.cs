using System.IO.Compression;
using Alt.Model.Checkpoints;
using TorchSharp;

namespace Alt.Tests.Model;

public sealed class WeightsFuzzTests : IDisposable
{
    private readonly CheckpointCopy _checkpoint = new("contriever");

    public void Dispose() => _checkpoint.Dispose();

    [Fact]
    public void Mutated_safetensors_load_or_are_refused_with_one_line()
    {
        var path = Copy("expected.safetensors");
        var (loaded, refused) = new MutatedFile(path).LoadAll(3_000, () => ReadAll(SafetensorsFile.Open(path), path));
        Assert.True(loaded > 20 && refused > 100, $"{loaded} loaded, {refused} refused.");
    }

    [Theory]
    [InlineData("views.bin")]
    [InlineData("parameters.bin")]
    public void Mutated_archives_of_torch_load_or_are_refused_with_one_line(string name)
    {
        var path = Copy(name);
        var (loaded, refused) = new MutatedFile(path).LoadAll(1_500, () => ReadAll(TorchFile.Open(path), path));
        Assert.True(loaded > 20 && refused > 100, $"{loaded} loaded, {refused} refused.");
    }

    [Theory]
    [InlineData("model.bin")]
    [InlineData("views.bin")]
    public void Mutated_pickles_in_a_whole_archive_load_or_are_refused_with_one_line(string name)
    {
        var (path, pickle) = (Copy(name), _checkpoint.PathOf("data.pkl"));
        using (var archive = ZipFile.OpenRead(path))
        {
            archive.Entries.Single(entry => entry.Name == "data.pkl").ExtractToFile(pickle);
        }

        // Writing the archive allocates too.
        var (loaded, refused) = new MutatedFile(pickle, AllowedAlways: 1 << 21).LoadAll(1_500, () =>
        {
            using (var archive = ZipFile.Open(path, ZipArchiveMode.Update))
            {
                var old = archive.Entries.Single(entry => entry.Name == "data.pkl");
                var full = old.FullName;
                old.Delete();
                archive.CreateEntryFromFile(pickle, full, CompressionLevel.NoCompression);
            }

            ReadAll(TorchFile.Open(path), path);
        });
        Assert.True(loaded > 20 && refused > 100, $"{loaded} loaded, {refused} refused.");
    }

    [Fact]
    public void A_mutated_index_of_shards_loads_or_is_refused_with_one_line_and_names_no_file_elsewhere()
    {
        var (loaded, refused) = new MutatedFile(_checkpoint.Shard(), AllowedAlways: 1 << 21).LoadAll(1_000, () =>
        {
            Assert.All(WeightFiles.In(_checkpoint.Folder).All, file =>
                Assert.Equal(_checkpoint.Folder, Path.GetDirectoryName(Path.GetFullPath(file))));
            using var weights = new CheckpointWeights(_checkpoint.Folder, "bert.");
        });
        Assert.True(loaded > 5 && refused > 100, $"{loaded} loaded, {refused} refused.");
    }

    private static void ReadAll(TensorFile file, string path)
    {
        using (file)
        {
            var length = new FileInfo(path).Length;
            foreach (var name in file.Entries.Keys)
            {
                using var scope = torch.NewDisposeScope();
                var read = file.Read(name);
                Assert.InRange(read.NumberOfElements * read.ElementSize, 0, length);
            }
        }
    }

    private string Copy(string name)
    {
        var path = _checkpoint.PathOf(name);
        File.Copy(Repository.PathOf("tests", "Golden", "pickle", name), path);
        return path;
    }
}
