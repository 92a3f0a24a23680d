using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Alt.Model.Network;
using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Checkpoints;

/// <summary>Writes safetensors files. The same tensors always give the same bytes: sorted, independent of time and machine.</summary>
public static class SafetensorsWriter
{
    // The reference implementation pads the header with spaces so that the data is aligned.
    private const int Alignment = 8;

    /// <summary>Writes a new file, or over an old one, of tensors of any device; their memory is not changed.</summary>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
        WriteInTurn(path, tensors.Select(TensorSource.Of));

    /// <summary>SHA-256, in lower-case hexadecimal, of the file that <see cref="Write"/> writes.</summary>
    public static string Hash(IEnumerable<KeyValuePair<string, Tensor>> tensors) => HashInTurn(tensors.Select(TensorSource.Of));

    /// <summary>The same of tensors of which only one at a time needs to exist.</summary>
    /// <inheritdoc cref="Write"/>
    internal static void WriteInTurn(string path, IEnumerable<TensorSource> tensors)
    {
        using var stream = File.Create(path);
        Write(stream, tensors);
        stream.Flush(flushToDisk: true);
    }

    /// <inheritdoc cref="Hash"/>
    internal static string HashInTurn(IEnumerable<TensorSource> tensors)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            Write(stream, tensors);
        }

        return Convert.ToHexStringLower(hash.Hash!);
    }

    private static void Write(Stream target, IEnumerable<TensorSource> tensors)
    {
        // Larger elements first, as in the reference implementation, so that each tensor stands at a multiple of its elements' size.
        var sorted = tensors.OrderByDescending(tensor => ElementTypes.Size(tensor.Type))
            .ThenBy(tensor => tensor.Name, StringComparer.Ordinal).ToArray();
        WriteHeader(target, sorted);
        foreach (var tensor in sorted)
        {
            using var scope = NewDisposeScope();
            foreach (var part in tensor.Read().detach().cpu().contiguous().Parts())
            {
                target.Write(part.bytes);
            }
        }
    }

    private static void WriteHeader(Stream target, TensorSource[] tensors)
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
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", ElementTypes.Name(tensor.Type));
                WriteNumbers(json, "shape", tensor.Shape);
                WriteNumbers(json, "data_offsets", [offset, offset += tensor.Bytes]);
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
