using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>Writes safetensors files. The same tensors always give the same bytes: sorted, without anything of time or machine.</summary>
public static class SafetensorsWriter
{
    // The reference implementation pads the header with spaces so that the data is aligned.
    private const int Alignment = 8;

    /// <summary>Writes tensors of any device; their memory is not changed.</summary>
    public static void Write(Stream target, IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        // Larger elements first, as in the reference implementation, so that each tensor stands at a multiple of its elements' size.
        var sorted = tensors.OrderByDescending(tensor => tensor.Value.ElementSize).ThenBy(tensor => tensor.Key, StringComparer.Ordinal).ToArray();
        WriteHeader(target, sorted);
        foreach (var (_, tensor) in sorted)
        {
            using var scope = NewDisposeScope();
            foreach (var part in tensor.detach().cpu().contiguous().Parts())
            {
                target.Write(part.bytes);
            }
        }
    }

    /// <summary>Writes a new file, or over an old one.</summary>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        using var stream = File.Create(path);
        Write(stream, tensors);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>SHA-256, in lower-case hexadecimal, of what <see cref="Write(Stream, IEnumerable{KeyValuePair{string, Tensor}})"/> writes.</summary>
    public static string Hash(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            Write(stream, tensors);
        }

        return Convert.ToHexStringLower(hash.Hash!);
    }

    private static void WriteHeader(Stream target, KeyValuePair<string, Tensor>[] tensors)
    {
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            // transformers refuses a file that does not say which framework wrote it.
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();
            var offset = 0L;
            foreach (var (name, tensor) in tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", ElementTypes.Name(tensor.dtype));
                WriteNumbers(json, "shape", tensor.shape);
                WriteNumbers(json, "data_offsets", [offset, offset += tensor.NumberOfElements * ElementTypes.Size(tensor.dtype)]);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (header.Length % Alignment != 0)
        {
            header.WriteByte((byte)' ');
        }

        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        target.Write(length);
        target.Write(header.GetBuffer().AsSpan(0, (int)header.Length));
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, long[] numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }
}
