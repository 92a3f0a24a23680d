using System.Reflection;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Temporalio.Api.Common.V1;

namespace Temporalio.Converters;

/// <summary>Null as <c>binary/null</c>.</summary>
public class BinaryNullConverter : IEncodingConverter
{
    /// <inheritdoc/>
    public string Encoding => "binary/null";

    /// <inheritdoc/>
    public bool TryToPayload(object? value, out Payload? payload)
    {
        payload = value is null ? EncodedPayload.Create(Encoding, ByteString.Empty) : null;
        return value is null;
    }

    /// <inheritdoc/>
    public object? ToValue(Payload payload, Type type) =>
        type.IsValueType && Nullable.GetUnderlyingType(type) is null ? Activator.CreateInstance(type) : null;
}

/// <summary>Byte arrays as <c>binary/plain</c>.</summary>
public class BinaryPlainConverter : IEncodingConverter
{
    /// <inheritdoc/>
    public string Encoding => "binary/plain";

    /// <inheritdoc/>
    public bool TryToPayload(object? value, out Payload? payload)
    {
        payload = value is byte[] bytes ? EncodedPayload.Create(Encoding, ByteString.CopyFrom(bytes)) : null;
        return payload is not null;
    }

    /// <inheritdoc/>
    public object? ToValue(Payload payload, Type type) => type.IsAssignableFrom(typeof(byte[]))
        ? payload.Data.ToByteArray()
        : throw new ArgumentException($"Payload holds bytes, not {type}");
}

/// <summary>Protobuf messages as proto JSON, <c>json/protobuf</c>.</summary>
public class JsonProtoConverter : IEncodingConverter
{
    /// <inheritdoc/>
    public string Encoding => "json/protobuf";

    /// <inheritdoc/>
    public bool TryToPayload(object? value, out Payload? payload)
    {
        payload = value is IMessage message
            ? EncodedPayload.Create(Encoding, ByteString.CopyFromUtf8(JsonFormatter.Default.Format(message)), message)
            : null;
        return payload is not null;
    }

    /// <inheritdoc/>
    public object? ToValue(Payload payload, Type type) => JsonParser.Default.Parse(payload.Data.ToStringUtf8(), EncodedPayload.DescriptorOf(type));
}

/// <summary>Protobuf messages as bytes, <c>binary/protobuf</c>; read only, since <see cref="JsonProtoConverter"/> comes first.</summary>
public class BinaryProtoConverter : IEncodingConverter
{
    /// <inheritdoc/>
    public string Encoding => "binary/protobuf";

    /// <inheritdoc/>
    public bool TryToPayload(object? value, out Payload? payload)
    {
        payload = value is IMessage message ? EncodedPayload.Create(Encoding, message.ToByteString(), message) : null;
        return payload is not null;
    }

    /// <inheritdoc/>
    public object? ToValue(Payload payload, Type type) => EncodedPayload.DescriptorOf(type).Parser.ParseFrom(payload.Data);
}

/// <summary>Everything else as JSON, <c>json/plain</c>.</summary>
public class JsonPlainConverter : IEncodingConverter
{
    private readonly JsonSerializerOptions options;

    /// <summary>Creates the converter.</summary>
    public JsonPlainConverter(JsonSerializerOptions jsonSerializerOptions) => options = jsonSerializerOptions;

    /// <inheritdoc/>
    public string Encoding => "json/plain";

    /// <inheritdoc/>
    public bool TryToPayload(object? value, out Payload? payload)
    {
        payload = EncodedPayload.Create(Encoding, ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(value, options)));
        return true;
    }

    /// <inheritdoc/>
    public object? ToValue(Payload payload, Type type) => JsonSerializer.Deserialize(payload.Data.Span, type, options);
}

file static class EncodedPayload
{
    public static Payload Create(string encoding, ByteString data, IMessage? message = null)
    {
        var payload = new Payload { Data = data, Metadata = { ["encoding"] = ByteString.CopyFromUtf8(encoding) } };
        if (message is not null)
        {
            payload.Metadata["messageType"] = ByteString.CopyFromUtf8(message.Descriptor.FullName);
        }
        return payload;
    }

    public static MessageDescriptor DescriptorOf(Type type) =>
        type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as MessageDescriptor
        ?? throw new ArgumentException($"Payload holds a protobuf message, and {type} is none");
}
