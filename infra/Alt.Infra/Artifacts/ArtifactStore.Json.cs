using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Alt.Domain;

namespace Alt.Infra;

public sealed partial class ArtifactStore
{
    /// <summary>Media type of an artifact that is one JSON document.</summary>
    public const string Json = "application/json";

    /// <summary>Media type of an artifact with one JSON document per line.</summary>
    public const string JsonLines = "application/jsonl";

    private const int WriteThreshold = 1 << 16, ReadBuffer = 1 << 16;

    /// <summary>Stores a value as one JSON document.</summary>
    /// <exception cref="ArtifactException">It could not be written; nothing is left behind.</exception>
    public Task<ArtifactRef> PutJsonAsync<T>(T value, CancellationToken token = default) =>
        PutAsync(JsonSerializer.SerializeToUtf8Bytes(value, AltJson.Options), Json, token);

    /// <summary>Stores values as JSON lines, in their order.</summary>
    /// <exception cref="ArtifactException">They could not be written; nothing is left behind.</exception>
    public Task<ArtifactRef> PutJsonLinesAsync<T>(IEnumerable<T> values, CancellationToken token = default) =>
        WriteAsync(JsonLines, stream => WriteLinesAsync(stream, values, token), token);

    /// <summary>Reads an artifact that is one JSON document.</summary>
    /// <exception cref="ArtifactException">The artifact is missing, corrupt, or not JSON of this shape.</exception>
    public async Task<T> ReadJsonAsync<T>(ArtifactRef artifact, CancellationToken token = default)
    {
        await using var stream = await OpenReadAsync(artifact, token);
        try
        {
            var value = await JsonSerializer.DeserializeAsync<T>(stream, AltJson.Options, token);
            return value ?? throw NotOfShape<T>(artifact, "it holds null");
        }
        catch (JsonException error)
        {
            throw NotOfShape<T>(artifact, OneLine(error), error);
        }
    }

    /// <summary>Reads an artifact of JSON lines one by one; it is verified as a whole before the first.</summary>
    /// <exception cref="ArtifactException">The artifact is missing, corrupt, or has a line that is not JSON of this shape.</exception>
    public IAsyncEnumerable<T> ReadJsonLinesAsync<T>(ArtifactRef artifact, CancellationToken token = default) =>
        ReadJsonLinesAsync<T>(artifact, 0, token);

    /// <inheritdoc cref="ReadJsonLinesAsync{T}(ArtifactRef, CancellationToken)"/>
    /// <param name="skip">How many lines to skip without parsing them.</param>
    public async IAsyncEnumerable<T> ReadJsonLinesAsync<T>(
        ArtifactRef artifact, int skip, [EnumeratorCancellation] CancellationToken token = default)
    {
        await using var stream = await OpenReadAsync(artifact, token);
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ReadBuffer));
        var number = 1;
        var ended = false;
        while (!ended)
        {
            var read = await reader.ReadAsync(token);
            var rest = read.Buffer;
            while (TryTakeLine(ref rest, read.IsCompleted, out var line))
            {
                if (number > skip)
                {
                    yield return ParseLine<T>(artifact, line, number);
                }

                number++;
            }

            reader.AdvanceTo(rest.Start, rest.End);
            ended = read.IsCompleted;
        }
    }

    /// <summary>Reads artifacts of JSON lines one after another, each verified as a whole before its first line.</summary>
    /// <inheritdoc cref="ReadJsonLinesAsync{T}(ArtifactRef, CancellationToken)"/>
    public IAsyncEnumerable<T> ReadJsonLinesAsync<T>(IEnumerable<ArtifactRef> artifacts, CancellationToken token = default) =>
        artifacts.ToAsyncEnumerable().SelectMany(artifact => ReadJsonLinesAsync<T>(artifact, token));

    /// <summary>The next line without its end; the last one may lack its end.</summary>
    private static bool TryTakeLine(ref ReadOnlySequence<byte> rest, bool isLast, out ReadOnlySequence<byte> line)
    {
        if (rest.PositionOf((byte)'\n') is { } end)
        {
            (line, rest) = (rest.Slice(0, end), rest.Slice(rest.GetPosition(1, end)));
            return true;
        }

        (line, rest) = isLast ? (rest, rest.Slice(rest.End)) : (default, rest);
        return !line.IsEmpty;
    }

    private static T ParseLine<T>(ArtifactRef artifact, in ReadOnlySequence<byte> line, int number)
    {
        try
        {
            var value = JsonSerializer.Deserialize<T>(line.IsSingleSegment ? line.FirstSpan : line.ToArray(), AltJson.Options);
            return value is not null ? value : throw NotOfShape<T>(artifact, $"line {number} holds null");
        }
        catch (JsonException error)
        {
            throw NotOfShape<T>(artifact, $"line {number}: {OneLine(error)}", error);
        }
    }

    private static async Task WriteLinesAsync<T>(Stream stream, IEnumerable<T> values, CancellationToken token)
    {
        var buffer = new ArrayBufferWriter<byte>(2 * WriteThreshold);
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = AltJson.Options.Encoder });
        foreach (var value in values)
        {
            JsonSerializer.Serialize(json, value, AltJson.Options);
            json.Reset();
            buffer.Write("\n"u8);
            if (buffer.WrittenCount >= WriteThreshold)
            {
                await stream.WriteAsync(buffer.WrittenMemory, token);
                buffer.ResetWrittenCount();
            }
        }

        await stream.WriteAsync(buffer.WrittenMemory, token);
    }

    private static ArtifactException NotOfShape<T>(ArtifactRef artifact, string why, Exception? error = null) =>
        new(
            $"artifact {artifact} is not the expected {typeof(T).Name}: {why}; it was written by another version or for another purpose",
            error);
}
