using System.Text.Json;
using Temporalio.Api.Common.V1;

namespace Temporalio.Converters;

/// <summary>
/// Converts null, byte arrays and protobuf messages to their own encodings and everything else to plain JSON. Made of
/// <see cref="IEncodingConverter"/>s: the first that takes a value writes it, the one that a payload names reads it.
/// </summary>
public class DefaultPayloadConverter : IPayloadConverter
{
    private readonly Dictionary<string, IEncodingConverter> byEncoding;

    /// <summary>Creates the converter with .NET's default JSON options.</summary>
    public DefaultPayloadConverter()
        : this(new JsonSerializerOptions())
    {
    }

    /// <summary>Creates the converter with JSON options of one's own.</summary>
    public DefaultPayloadConverter(JsonSerializerOptions jsonSerializerOptions)
        : this([new BinaryNullConverter(), new BinaryPlainConverter(), new JsonProtoConverter(), new BinaryProtoConverter(), new JsonPlainConverter(jsonSerializerOptions)])
    {
    }

    /// <summary>Creates the converter from parts, in order of preference.</summary>
    protected DefaultPayloadConverter(IEnumerable<IEncodingConverter> encodingConverters)
    {
        EncodingConverters = encodingConverters.ToArray();
        byEncoding = EncodingConverters.ToDictionary(converter => converter.Encoding);
    }

    /// <summary>The parts, in order of preference.</summary>
    public IReadOnlyCollection<IEncodingConverter> EncodingConverters { get; }

    /// <inheritdoc/>
    public Payload ToPayload(object? value)
    {
        if (value is IRawValue raw)
        {
            return raw.Payload;
        }
        foreach (var converter in EncodingConverters)
        {
            if (converter.TryToPayload(value, out var payload))
            {
                return payload!;
            }
        }
        throw new ArgumentException($"Value of type {value?.GetType()} has no converter");
    }

    /// <inheritdoc/>
    public object? ToValue(Payload payload, Type type)
    {
        if (type == typeof(IRawValue) || type == typeof(RawValue))
        {
            return new RawValue(payload);
        }
        var encoding = payload.Metadata.TryGetValue("encoding", out var name) ? name.ToStringUtf8() : "";
        return byEncoding.TryGetValue(encoding, out var converter)
            ? converter.ToValue(payload, type)
            : throw new ArgumentException($"Payload has the unknown encoding '{encoding}'; is a codec missing?");
    }
}
