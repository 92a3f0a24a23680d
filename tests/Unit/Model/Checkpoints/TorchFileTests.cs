using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Encoders;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

/// <summary>Files of PyTorch's own torch.save, see Golden/pickle_reference.py, and such as it never writes.</summary>
public sealed class TorchFileTests : IDisposable
{
    // A tensor of two floats in storage 0: [GLOBALS] (storage, offset, shape, strides, requires_grad, hooks).
    private const string Storage = "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\00X\x03\0\0\0cpuK\x02tQ";
    private const string Hooks = "\x89}tR";
    private const string Rebuild = "ctorch._utils\n_rebuild_tensor_v2\n(";

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly CheckpointCopy _checkpoint = new("contriever");

    public void Dispose()
    {
        _scope.Dispose();
        _checkpoint.Dispose();
    }

    [Theory]
    [InlineData("model", 7)]
    [InlineData("types", 10)]
    [InlineData("views", 11)]
    [InlineData("parameters", 3)]
    public void Tensors_are_those_that_torch_loads(string name, int count)
    {
        using var expected = SafetensorsFile.Open(Golden("expected.safetensors"));
        using var file = TorchFile.Open(Golden(name + ".bin"));
        Assert.Equal(count, file.Entries.Count);
        Assert.Equal(
            expected.Entries.Keys.Where(key => key.StartsWith(name + "/", StringComparison.Ordinal)).Order(),
            file.Entries.Keys.Select(key => $"{name}/{key}").Order());
        Assert.All(file.Entries.Keys, key =>
        {
            var (read, loaded) = (file.Read(key), expected.Read($"{name}/{key}"));
            Assert.Equal(loaded.dtype, read.dtype);
            Assert.Equal(loaded.shape, read.shape);
            Assert.True(read.is_contiguous());
            Assert.True(read.bytes.SequenceEqual(loaded.bytes));
        });
    }

    [Theory]
    [InlineData("contriever.bin")]
    [InlineData("sharded")]
    public void A_model_reads_them_as_it_reads_safetensors(string golden)
    {
        using var expected = TextEmbedder.Load(_checkpoint.Folder);
        File.Delete(_checkpoint.Weights);
        if (golden == "sharded")
        {
            foreach (var file in Directory.GetFiles(Golden(golden)))
            {
                File.Copy(file, _checkpoint.PathOf(Path.GetFileName(file)));
            }
        }
        else
        {
            File.Copy(Golden(golden), _checkpoint.PathOf("pytorch_model.bin"));
        }

        using var model = TextEmbedder.Load(_checkpoint.Folder);
        var tokens = model.Tokens("the cat sat on the mat", 40);
        Assert.Equal(expected.Read([tokens], 1, null, CancellationToken.None), model.Read([tokens], 1, null, CancellationToken.None));
        byte[] files = [.. Directory.GetFiles(_checkpoint.Folder, "pytorch_model*")
            .OrderByDescending(f => f.EndsWith(".json", StringComparison.Ordinal))
            .ThenBy(f => f, StringComparer.Ordinal).SelectMany(File.ReadAllBytes)];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(files)), model.Hash);
    }

    [Fact]
    public void Safetensors_are_read_first_where_a_folder_has_both()
    {
        File.Copy(Golden("foreign.bin"), _checkpoint.PathOf("pytorch_model.bin"));
        using var model = TextEmbedder.Load(_checkpoint.Folder);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_checkpoint.Weights))), model.Hash);
    }

    [Theory]
    [InlineData("legacy", "it is in the format before PyTorch 1.6; load it with torch.load and save it again with torch.save")]
    [InlineData("foreign", "its pickle names posix.system, which is not read since it may do anything")]
    [InlineData("nested", "its value state_dict is no tensor; expected a plain state dict")]
    [InlineData("number", "its value step is no tensor; expected a plain state dict")]
    [InlineData("list", "its pickle has the instruction 0x5d at byte 2, which no state dict needs")]
    [InlineData("keys", "its pickle has a dict with keys that are no strings")]
    [InlineData("expanded", "x of shape [1000, 1000] takes more elements than the 1 of its storage")]
    [InlineData("complex", "its pickle names torch.ComplexFloatStorage")]
    [InlineData("float8", "its pickle names torch._utils._rebuild_tensor_v3")]
    [InlineData("sparse", "its pickle names torch._utils._rebuild_sparse_tensor")]
    [InlineData("module", "its pickle names torch.nn.modules.linear.Linear")]
    [InlineData("protocol4", "its pickle has protocol 4, expected 2")]
    [InlineData("script", "is compressed or encrypted, expected one that is stored as it is")]
    [InlineData("expected.safetensors", "it is no zip archive")]
    public void What_is_no_plain_state_dict_is_refused_in_one_line(string name, string message) =>
        Refused(Golden(Path.HasExtension(name) ? name : name + ".bin"), message);

    [Theory]
    [InlineData("\x80\x02}X\x01\0\0\0x" + Rebuild + Storage + "K\0K\x02\x85K\x01\x85" + Hooks + "s.", null)]
    [InlineData("\x80\x02}X\x01\0\0\0x" + Rebuild + Storage + "K\0K\x01K\x02\x86K\0K\x01\x86" + Hooks + "s.", null)]
    [InlineData(
        "\x80\x02}X\x01\0\0\0x" + Rebuild + Storage + "K\x01K\x02\x85K\x01\x85" + Hooks + "s.",
        "x of shape [2] takes more elements than the 2 of its storage")]
    [InlineData(
        "\x80\x02}X\x01\0\0\0x" + Rebuild + Storage + "K\0K\x02\x85K\x02\x85" + Hooks + "s.",
        "x of shape [2] takes more elements than the 2 of its storage")]
    [InlineData(
        "\x80\x02}X\x01\0\0\0x" + Rebuild + Storage + "K\0K\x02\x85J\xff\xff\xff\xff\x85" + Hooks + "s.",
        "x has no valid place in its storage")]
    [InlineData(
        "\x80\x02}X\x01\0\0\0x" + Rebuild + Storage + "J\xff\xff\xff\xffK\x02\x85K\x01\x85" + Hooks + "s.",
        "x has no valid place in its storage")]
    [InlineData(
        "\x80\x02}X\x01\0\0\0x" + Rebuild + Storage + "K\0K\x02\x85K\x01K\x01\x86" + Hooks + "s.", "x has no valid place in its storage")]
    [InlineData(
        "\x80\x02}X\x01\0\0\0x" + Rebuild + Storage + "K\0J\xff\xff\xff\xff\x85K\x01\x85" + Hooks + "s.",
        "x has no valid shape: 1 dimensions, the least -1")]
    [InlineData(
        "\x80\x02}X\x01\0\0\0x" + Rebuild + Storage
            + "K\0\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85" + Hooks + "s.",
        "more than any memory holds")]
    [InlineData(
        "\x80\x02}X\x01\0\0\0x" + Rebuild + "N" + "K\0K\x02\x85K\x01\x85" + Hooks + "s.",
        "its pickle makes a tensor in a way that is not read here")]
    [InlineData("\x80\x02}X\x01\0\0\0xNs.", "its value x is no tensor")]
    [InlineData("\x80\x02}(X\x01\0\0\0xNX\x01\0\0\0xNu.", "its pickle has x twice")]
    [InlineData("\x80\x02}q\0X\x01\0\0\0xh\0s.", "its value x is no tensor")]
    [InlineData("\x80\x02}", "its pickle is cut off")]
    [InlineData("\x80\x02.", "is damaged at byte 2")]
    [InlineData("\x80\x02}.", null)]
    [InlineData("\x80\x02}(.", "is damaged at byte 4")]
    [InlineData("\x80\x02N.", "it holds no dict")]
    [InlineData("\x80\x02(Ns.", "takes a value that is not there")]
    [InlineData("\x80\x02t.", "ends at byte 3 what it did not begin")]
    [InlineData("\x80\x02h\x05.", "is damaged at byte 4")]
    [InlineData("\x80\x02NNR.", "is damaged at byte 4")]
    [InlineData("\x80\u0002ctorch\nFloatStorage\n)R.", "its pickle calls what is not to be called")]
    [InlineData("\x80\u0002cos\nsystem\nX\x02\0\0\0id\x85R.", "its pickle names os.system")]
    [InlineData("\x80\u0002cbuiltins\neval\n.", "its pickle names builtins.eval")]
    [InlineData("\x80\x02X\xff\xff\xff\xffx.", "its pickle is cut off")]
    [InlineData("\x80\x02X\x01\0\0\0\xff.", "its pickle has a string that is not UTF-8")]
    [InlineData("\x80\x02\x8a\xff", "its pickle is cut off")]
    [InlineData("\x80\x02X\x03\0\0\0../Q.", "its pickle points to something else than a storage")]
    public void A_pickle_that_torch_would_not_write_is_read_as_torch_would_or_refused(string pickle, string? message)
    {
        var path = Archive(Encoding.Latin1.GetBytes(pickle));
        if (message is not null)
        {
            Refused(path, message);
            return;
        }

        using var file = TorchFile.Open(path);
        Assert.All(file.Entries.Keys, name => Assert.Equal([1f, 2], file.Read(name).data<float>().ToArray()));
    }

    [Theory]
    [InlineData("(", "is damaged at byte")]
    [InlineData("N", "more than 65536 values at once")]
    [InlineData("}", "more than 65536 values at once")]
    [InlineData(")\x85", "more than 65536 values at once")]
    [InlineData("\x85", "it holds no dict")]
    [InlineData("(t\x85q\0\x85h\0\x87", "it holds no dict")]
    public void Neither_depth_nor_width_takes_much_memory(string repeated, string message)
    {
        var pickle = "\x80\x02N" + string.Concat(Enumerable.Repeat(repeated, 200_000)) + ".";
        var path = Archive(Encoding.Latin1.GetBytes(pickle));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(path, message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (1 << 22) + 40 * pickle.Length);
    }

    [Fact]
    public void Values_in_values_do_not_take_the_stack() =>
        Refused(Archive([0x80, 2, (byte)'N', .. Enumerable.Repeat((byte)0x85, 5_000_000), (byte)'.']), "it holds no dict");

    [Fact]
    public void An_archive_that_torch_would_not_write_is_refused()
    {
        var pickle = Encoding.Latin1.GetBytes("\x80\x02}X\x01\0\0\0x" + Rebuild + Storage + "K\0K\x02\x85K\x01\x85" + Hooks + "s.");
        Refused(Archive(pickle, order: "big"), "its byte order is not little");
        Refused(Archive(pickle, storage: 7), "the elements of x take 7 bytes, expected 2 of 4");
        Refused(Archive(pickle, storage: 0), "the elements of x take 0 bytes, expected 2 of 4");
        Refused(Archive(pickle, level: CompressionLevel.Optimal), "is compressed or encrypted, expected one that is stored as it is");
        Refused(Archive(pickle, folder: ""), "it is a zip archive without a data.pkl");
        Refused(Archive(pickle, times: 2), "it has two entries archive/data.pkl");
        File.WriteAllBytes(_checkpoint.PathOf("cut.bin"), File.ReadAllBytes(Archive(pickle))[..^1]);
        Refused(_checkpoint.PathOf("cut.bin"), "it is no zip archive, or its end is missing");
    }

    private string Archive(
        byte[] pickle, string order = "little", int storage = 8, CompressionLevel level = CompressionLevel.NoCompression,
        string folder = "archive/", int times = 1)
    {
        var path = _checkpoint.PathOf("made.bin");
        using var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
        for (; times > 0; times--)
        {
            Write("data.pkl", pickle);
        }

        Write("byteorder", Encoding.ASCII.GetBytes(order));
        Write("data/0", [.. MemoryMarshal.AsBytes<float>([1, 2])[..storage]]);
        return path;

        void Write(string name, byte[] content)
        {
            using var entry = zip.CreateEntry(folder + name, level).Open();
            entry.Write(content);
        }
    }

    private static void Refused(string path, string message)
    {
        var error = Assert.Throws<InputException>(() => TorchFile.Open(path)).Message;
        Assert.StartsWith($"{path} is not a PyTorch file of tensors: ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain(error, char.IsControl);
    }

    private static string Golden(string name) => Repository.PathOf("tests", "Golden", "pickle", name);
}
