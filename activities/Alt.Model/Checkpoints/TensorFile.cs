using System.Text.Json;
using Alt.Domain;
using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Checkpoints;

/// <summary>
/// A file of named tensors. Opening checks what it says of all of them, so that a damaged file is refused before any is read;
/// reading one goes straight into its memory.
/// </summary>
public abstract class TensorFile : IDisposable
{
    private readonly FileStream _stream;

    private protected TensorFile(FileStream stream, IReadOnlyDictionary<string, StoredTensor> entries) =>
        (_stream, Entries) = (stream, entries);

    /// <summary>What the file holds, by name.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Entries { get; }

    public string Path => _stream.Name;

    /// <summary>Reads one tensor into the processor's memory.</summary>
    public Tensor Read(string name)
    {
        var stored = Entries[name];
        if (stored.Strides is not { } strides)
        {
            return Read(stored, stored.Shape);
        }

        using var scope = NewDisposeScope();
        var span = Read(stored, [(long)StoredTensor.Span(stored.Shape, strides)]);
        return span.as_strided(stored.Shape, strides).contiguous().MoveToOuterDisposeScope();
    }

    public void Dispose() => _stream.Dispose();

    /// <param name="kind">What the file should be, for the errors.</param>
    private protected static T Open<T>(string path, string kind, Func<FileStream, T> read)
        where T : TensorFile
    {
        if (!File.Exists(path))
        {
            throw new InputException($"{path} does not exist, expected {kind}");
        }

        var stream = File.OpenRead(path);
        try
        {
            return read(stream);
        }
        catch (Exception e)
        {
            stream.Dispose();
            if (e is FormatException or JsonException or InvalidOperationException or EndOfStreamException or OverflowException)
            {
                throw new InputException($"{path} is not {kind}: {e.Message}", e);
            }

            throw;
        }
    }

    private Tensor Read(StoredTensor stored, long[] shape)
    {
        var tensor = empty(shape, stored.Type);
        _stream.Position = stored.Start;
        foreach (var part in tensor.Parts())
        {
            _stream.ReadExactly(part.bytes);
        }

        return tensor;
    }
}
