using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Temporalio.Api.History.V1;

namespace Temporalio.Common;

/// <summary>
/// Brings history JSON to canonical proto JSON. Tools write enum values in one of two ways, <c>EVENT_TYPE_TIMER_FIRED</c> or
/// <c>TimerFired</c>; the parser knows the first only.
/// </summary>
internal static class HistoryJson
{
    public static string WithFullEnumNames(string json)
    {
        var root = JsonNode.Parse(json) ?? throw new ArgumentException("History JSON is empty");
        Fix(root, History.Descriptor);
        return root.ToJsonString();
    }

    private static void Fix(JsonNode? node, MessageDescriptor type)
    {
        if (node is not JsonObject fields || type.File.Package == "google.protobuf")
        {
            return;
        }
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            var key = fields.ContainsKey(field.JsonName) ? field.JsonName : field.Name;
            if (fields[key] is not { } value)
            {
                continue;
            }
            if (field.IsMap)
            {
                var valueField = field.MessageType.FindFieldByNumber(2);
                if (valueField.FieldType == FieldType.Message && value is JsonObject map)
                {
                    foreach (var entry in map)
                    {
                        Fix(entry.Value, valueField.MessageType);
                    }
                }
            }
            else if (value is JsonArray items)
            {
                for (var i = 0; i < items.Count; i++)
                {
                    if (FixValue(items[i], field) is { } replacement)
                    {
                        items[i] = replacement;
                    }
                }
            }
            else if (FixValue(value, field) is { } replacement)
            {
                fields[key] = replacement;
            }
        }
    }

    private static JsonNode? FixValue(JsonNode? value, FieldDescriptor field)
    {
        if (field.FieldType == FieldType.Message)
        {
            Fix(value, field.MessageType);
            return null;
        }
        return field.FieldType == FieldType.Enum && value is JsonValue text && text.TryGetValue(out string? name) && name.Length > 0
            && field.EnumType.FindValueByName(name) is null
            ? JsonValue.Create(ScreamingSnake(field.EnumType.Name) + "_" + ScreamingSnake(name))
            : null;
    }

    private static string ScreamingSnake(string camel)
    {
        var text = new StringBuilder();
        for (var i = 0; i < camel.Length; i++)
        {
            if (i > 0 && char.IsUpper(camel[i]) && !char.IsUpper(camel[i - 1]))
            {
                text.Append('_');
            }
            text.Append(char.ToUpperInvariant(camel[i]));
        }
        return text.ToString();
    }
}
