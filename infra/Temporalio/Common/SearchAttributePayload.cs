using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace Temporalio.Common;

/// <summary>Search attributes are always plain JSON with their type beside it; converters and codecs of the user do not touch them.</summary>
internal static class SearchAttributePayload
{
    private static readonly Dictionary<IndexedValueType, string> TypeNames = new()
    {
        [IndexedValueType.Text] = "Text",
        [IndexedValueType.Keyword] = "Keyword",
        [IndexedValueType.Int] = "Int",
        [IndexedValueType.Double] = "Double",
        [IndexedValueType.Bool] = "Bool",
        [IndexedValueType.Datetime] = "Datetime",
        [IndexedValueType.KeywordList] = "KeywordList",
    };

    /// <param name="type">Type of the attribute.</param>
    /// <param name="value">Value, or null for the payload that removes the attribute.</param>
    public static Payload ToPayload(IndexedValueType type, object? value)
    {
        var json = value switch
        {
            null => "null"u8.ToArray(),
            DateTimeOffset time => JsonSerializer.SerializeToUtf8Bytes(time.ToString("O", CultureInfo.InvariantCulture)),
            _ => JsonSerializer.SerializeToUtf8Bytes(value, value.GetType()),
        };
        return new Payload
        {
            Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain"), ["type"] = ByteString.CopyFromUtf8(TypeNames[type]) },
            Data = ByteString.CopyFrom(json),
        };
    }

    /// <summary>The key and value, or null for a type that this version does not know or a value of null.</summary>
    public static (SearchAttributeKey Key, object Value)? FromPayload(string name, Payload payload)
    {
        if (!payload.Metadata.TryGetValue("type", out var typeName))
        {
            return null;
        }
        using var json = JsonDocument.Parse(payload.Data.Memory);
        var element = json.RootElement;
        if (element.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        var type = TypeNames.FirstOrDefault(pair => pair.Value == typeName.ToStringUtf8()).Key;
        // A server may hand back a list of one for a single value.
        if (type != IndexedValueType.KeywordList && element.ValueKind == JsonValueKind.Array)
        {
            if (element.GetArrayLength() != 1)
            {
                return null;
            }
            element = element[0];
        }
        return type switch
        {
            IndexedValueType.Text => (SearchAttributeKey.CreateText(name), element.GetString()!),
            IndexedValueType.Keyword => (SearchAttributeKey.CreateKeyword(name), element.GetString()!),
            IndexedValueType.Int => (SearchAttributeKey.CreateLong(name), element.GetInt64()),
            IndexedValueType.Double => (SearchAttributeKey.CreateDouble(name), element.GetDouble()),
            IndexedValueType.Bool => (SearchAttributeKey.CreateBool(name), element.GetBoolean()),
            IndexedValueType.Datetime => (SearchAttributeKey.CreateDateTimeOffset(name),
                DateTimeOffset.Parse(element.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)),
            IndexedValueType.KeywordList => (SearchAttributeKey.CreateKeywordList(name), KeywordList(element)),
            _ => null,
        };
    }

    private static IReadOnlyCollection<string> KeywordList(JsonElement element) => element.ValueKind == JsonValueKind.Array
        ? element.EnumerateArray().Select(item => item.GetString()!).ToArray()
        : [element.GetString()!];
}
