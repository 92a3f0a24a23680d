using System.Buffers.Binary;
using System.Text.Json;
using Alt.Domain;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>
/// A file of named tensors in Hugging Face's safetensors format: the length of a JSON header in 8 bytes, the header, the data.
/// Opening checks the whole header, so that a damaged file is refused before any tensor is read.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int LengthBytes = 8;
    private const long MaximumHeader = 100_000_000;

    private readonly FileStream _stream;
    private readonly long _dataStart;

    private SafetensorsFile(FileStream stream, long dataStart, IReadOnlyDictionary<string, Entry> entries)
    {
        _stream = stream;
        _dataStart = dataStart;
        Entries = entries;
    }

    /// <summary>What the file holds, by name.</summary>
    public IReadOnlyDictionary<string, Entry> Entries { get; }

    /// <exception cref="InputException">There is no such file, or it is no safetensors file; the message says what is wrong with it.</exception>
    public static SafetensorsFile Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new InputException($"{path} does not exist, expected a safetensors file");
        }

        var stream = File.OpenRead(path);
        try
        {
            var (dataStart, entries) = ReadHeader(stream);
            return new SafetensorsFile(stream, dataStart, entries);
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException or KeyNotFoundException or EndOfStreamException or OverflowException)
        {
            stream.Dispose();
            throw new InputException($"{path} is not a safetensors file: {e.Message}", e);
        }
    }

    /// <summary>Reads one tensor into the processor's memory.</summary>
    public Tensor Read(string name)
    {
        var entry = Entries[name];
        var tensor = empty(entry.Shape, entry.Type);
        _stream.Position = _dataStart + entry.Start;
        _stream.ReadExactly(tensor.bytes);
        return tensor;
    }

    public void Dispose() => _stream.Dispose();

    private static (long DataStart, Dictionary<string, Entry> Entries) ReadHeader(FileStream stream)
    {
        Span<byte> length = stackalloc byte[LengthBytes];
        stream.ReadExactly(length);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(length);
        if (headerLength > MaximumHeader || LengthBytes + (long)headerLength > stream.Length)
        {
            throw new FormatException($"its header claims {headerLength} bytes, the file has {stream.Length}");
        }

        var header = new byte[headerLength];
        stream.ReadExactly(header);
        var dataStart = LengthBytes + (long)headerLength;
        using var json = JsonDocument.Parse(header);
        var entries = json.RootElement.EnumerateObject()
            .Where(property => property.Name != "__metadata__")
            .ToDictionary(property => property.Name, property => ReadEntry(property.Name, property.Value));

        // The format allows no hole, no overlap and no tail.
        var end = 0L;
        foreach (var (name, entry) in entries.OrderBy(entry => entry.Value.Start).ThenBy(entry => entry.Value.End))
        {
            if (entry.Start != end)
            {
                throw new FormatException($"the data of {name} starts at {entry.Start}, expected {end}");
            }

            end = entry.End;
        }

        return dataStart + end == stream.Length
            ? (dataStart, entries)
            : throw new FormatException($"its tensors take {end} bytes, the file has {stream.Length - dataStart} for them");
    }

    private static Entry ReadEntry(string name, JsonElement json)
    {
        var type = SafetensorsTypes.Parse(json.GetProperty("dtype").GetString()!);
        var shape = json.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
        var offsets = json.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64()).ToArray();
        if (offsets.Length != 2 || offsets[0] < 0 || shape.Any(size => size < 0))
        {
            throw new FormatException($"the header's entry {name} has no valid shape and data_offsets");
        }

        var expected = shape.Aggregate(SafetensorsTypes.Size(type), (product, size) => checked(product * size));
        return offsets[1] - offsets[0] == expected
            ? new Entry(type, shape, offsets[0], offsets[1])
            : throw new FormatException($"{name} takes {offsets[1] - offsets[0]} bytes, its shape [{string.Join(", ", shape)}] and type need {expected}");
    }

    /// <summary>One tensor of a file.</summary>
    /// <param name="Start">Where its data starts, in bytes after the header.</param>
    /// <param name="End">The byte after its data.</param>
    public sealed record Entry(ScalarType Type, long[] Shape, long Start, long End);
}
