using System.Buffers.Binary;
using System.Text.Json;
using Alt.Domain;
using Alt.Model.Network;
using static TorchSharp.torch;

namespace Alt.Model.Checkpoints;

/// <summary>
/// A file of named tensors in Hugging Face's safetensors format: the length of a JSON header in 8 bytes, the header, the data.
/// </summary>
public sealed class SafetensorsFile : TensorFile
{
    private const int LengthBytes = 8;
    private const long MaximumHeader = 100_000_000;

    private SafetensorsFile(FileStream stream, IReadOnlyDictionary<string, StoredTensor> entries)
        : base(stream, entries)
    {
    }

    /// <exception cref="InputException">
    /// There is no such file, or it is no safetensors file; the message says what is wrong with it.
    /// </exception>
    public static SafetensorsFile Open(string path) => Open(path, "a safetensors file", stream =>
        new SafetensorsFile(stream, ReadHeader(stream)));

    private static Dictionary<string, StoredTensor> ReadHeader(FileStream stream)
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
        using var json = JsonDocument.Parse(header, new JsonDocumentOptions { AllowDuplicateProperties = false });
        if (json.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("its header is no JSON object");
        }

        var entries = json.RootElement.EnumerateObject()
            .Where(property => property.Name != "__metadata__")
            .ToDictionary(property => property.Name, property => ReadEntry(property.Name, property.Value));

        // The format allows no hole, no overlap and no tail.
        var end = 0L;
        foreach (var (name, entry) in entries.OrderBy(entry => entry.Value.Start).ThenBy(entry => entry.Value.End))
        {
            if (entry.Start != end)
            {
                throw new FormatException($"the data of {InputException.Quote(name)} starts at {entry.Start}, expected {end}");
            }

            end = entry.End;
        }

        return dataStart + end == stream.Length
            ? entries.ToDictionary(entry => entry.Key, entry =>
                new StoredTensor(entry.Value.Type, entry.Value.Shape, dataStart + entry.Value.Start))
            : throw new FormatException($"its tensors take {end} bytes, the file has {stream.Length - dataStart} for them");
    }

    private static Entry ReadEntry(string name, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object
            || !json.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !json.TryGetProperty("shape", out var sizes) || Numbers(sizes) is not { } shape
            || !json.TryGetProperty("data_offsets", out var offsets) || Numbers(offsets) is not [>= 0 and var start, var end])
        {
            throw new FormatException($"the header's entry {InputException.Quote(name)} has no valid dtype, shape and data_offsets");
        }

        var type = ElementTypes.Parse(dtype.GetString()!);
        return StoredTensor.Bytes(name, type, shape) is var expected && end - start == expected
            ? new Entry(type, shape, start, end)
            : throw new FormatException(
                $"{InputException.Quote(name)} takes {end - start} bytes, its shape [{string.Join(", ", shape)}] and type need {expected}");
    }

    private static long[]? Numbers(JsonElement json)
    {
        long?[] numbers = json.ValueKind == JsonValueKind.Array
            ? [.. json.EnumerateArray()
                .Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out var number) ? number : (long?)null)]
            : [null];
        return numbers.Contains(null) ? null : [.. numbers.Select(number => number!.Value)];
    }

    // From and to are bytes after the header.
    private sealed record Entry(ScalarType Type, long[] Shape, long Start, long End);
}
