using Alt.Domain;
using Alt.Model.Network;

namespace Alt.Model.Checkpoints;

/// <summary>
/// A state dict that <c>torch.save</c> wrote: a zip archive of a pickle, which says what tensors there are, and an entry for each storage
/// of their elements.
/// Nothing in it is executed: see <see cref="PickleReader"/>.
/// </summary>
public sealed class TorchFile : TensorFile
{
    private const long LargestPickle = 1 << 26;
    private const string PickleName = "/data.pkl";

    // The pickle of the number that PyTorch's files began with before 1.6.
    private static readonly byte[] LegacyStart = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

    private TorchFile(FileStream stream, IReadOnlyDictionary<string, StoredTensor> entries)
        : base(stream, entries)
    {
    }

    /// <exception cref="InputException">
    /// There is no such file, or it is not one of tensors only; the message says what is wrong with it.
    /// </exception>
    public static TorchFile Open(string path) => Open(path, "a PyTorch file of tensors", stream =>
        new TorchFile(stream, ReadTensors(stream)));

    private static Dictionary<string, StoredTensor> ReadTensors(FileStream stream)
    {
        Span<byte> start = stackalloc byte[LegacyStart.Length];
        if (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual(LegacyStart))
        {
            throw new FormatException(
                "it is in the format before PyTorch 1.6; load it with torch.load and save it again with torch.save, which writes today's");
        }

        var archive = ZipDirectory.Read(stream);
        var pickle = archive.Keys.FirstOrDefault(name =>
            name.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash && name.AsSpan(slash).SequenceEqual(PickleName))
            ?? throw new FormatException("it is a zip archive without a data.pkl");
        var root = pickle[..^PickleName.Length];
        if (archive.TryGetValue(root + "/byteorder", out var order)
            && !ZipDirectory.BytesOf(stream, order, LargestPickle).AsSpan().SequenceEqual("little"u8))
        {
            throw new FormatException("its byte order is not little; load it with PyTorch and save it on a machine of this kind");
        }

        return PickleReader.Read(ZipDirectory.BytesOf(stream, archive[pickle], LargestPickle)).ToDictionary(
            tensor => tensor.Key,
            tensor => Stored(
                tensor.Key, tensor.Value,
                archive.TryGetValue($"{root}/data/{tensor.Value.Storage.Key}", out var storage) ? storage : null));
    }

    private static StoredTensor Stored(string name, PickledTensor tensor, ZipDirectory.Entry? entry)
    {
        var (type, elements) = (tensor.Storage.Type, tensor.Storage.Elements);
        var size = ElementTypes.Size(type);
        if (entry is not { } data || data.Length / size != elements || data.Length % size != 0)
        {
            throw new FormatException(
                $"the elements of {InputException.Quote(name)} take {entry?.Length ?? 0} bytes, expected {elements} of {size}");
        }

        var count = StoredTensor.Bytes(name, type, tensor.Shape) / size;
        if (tensor.Strides.Length != tensor.Shape.Length || tensor.Strides.Any(stride => stride < 0) || tensor.Offset < 0)
        {
            throw new FormatException($"{InputException.Quote(name)} has no valid place in its storage");
        }

        // Where one element stands for many, as expand makes them, the tensor would take more memory than the file.
        return count <= elements && StoredTensor.Span(tensor.Shape, tensor.Strides) <= elements - tensor.Offset
            ? new StoredTensor(type, tensor.Shape, data.Start + tensor.Offset * size)
            {
                Strides = StoredTensor.IsRowOrder(tensor.Shape, tensor.Strides) ? null : tensor.Strides
            }
            : throw new FormatException(
                $"{InputException.Quote(name)} of shape [{string.Join(", ", tensor.Shape)}] takes more elements than the "
                + $"{elements} of its storage");
    }
}
