using System.Text.Json;
using System.Text.Json.Serialization;
using Weasel.Core;

namespace Marten.Sessions;

/// <summary>The JSON of documents and events, as UTF-8 bytes, which is what goes over the wire.</summary>
internal sealed class JsonSerialization(JsonSerializerOptions options)
{
    public static JsonSerialization For(JsonSerializerOptions? given, EnumStorage enumStorage, Casing casing, Action<JsonSerializerOptions>? configure)
    {
        var options = new JsonSerializerOptions(given ?? JsonSerializerOptions.Default);
        options.PropertyNamingPolicy = casing switch
        {
            Casing.CamelCase => JsonNamingPolicy.CamelCase,
            Casing.SnakeCase => JsonNamingPolicy.SnakeCaseLower,
            _ => options.PropertyNamingPolicy,
        };
        if (enumStorage == EnumStorage.AsString)
        {
            options.Converters.Add(new JsonStringEnumConverter());
        }

        configure?.Invoke(options);
        return new JsonSerialization(options);
    }

    /// <summary>The value as its own type has it, not as the type of the variable that holds it.</summary>
    public byte[] ToJson(object value) => JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), options);

    /// <exception cref="JsonException">The JSON does not fit the type, or is null.</exception>
    public object FromJson(Type type, ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, type, options) ?? throw new JsonException($"The JSON value null is not a {type.FullName}.");
}
