using System.Globalization;
using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;

namespace TemporalServer.Http;

/// <summary>Puts texts of a path or query string into a request's JSON document.</summary>
internal static class RequestJson
{
    /// <summary>Sets a field, or appends to a repeated one. A name that the request does not know is passed over, as gateways do.</summary>
    /// <param name="field">Names of fields, one inside the other, with dots between; as in protos or as in JSON.</param>
    /// <exception cref="RpcError">INVALID_ARGUMENT where a text cannot be what the field is.</exception>
    public static void Set(JsonObject document, MessageDescriptor type, string field, string text)
    {
        string[] names = field.Split('.');
        for (int i = 0; i < names.Length; i++)
        {
            if (type.Fields.InDeclarationOrder().FirstOrDefault(f => f.Name == names[i] || f.JsonName == names[i]) is not { } descriptor)
            {
                return;
            }

            bool last = i == names.Length - 1;
            if (last && descriptor.IsRepeated)
            {
                if (document[descriptor.JsonName] is not JsonArray list)
                {
                    document[descriptor.JsonName] = list = [];
                }

                list.Add(Value(descriptor, text));
            }
            else if (last)
            {
                document[descriptor.JsonName] = Value(descriptor, text);
            }
            else if (descriptor is { FieldType: FieldType.Message, IsRepeated: false, IsMap: false })
            {
                if (document[descriptor.JsonName] is not JsonObject inner)
                {
                    document[descriptor.JsonName] = inner = [];
                }

                (document, type) = (inner, descriptor.MessageType);
            }
            else
            {
                return;
            }
        }
    }

    private static JsonNode Value(FieldDescriptor field, string text) => field.FieldType switch
    {
        FieldType.Bool => bool.TryParse(text, out bool flag) ? flag : throw Wrong(field, text),
        FieldType.Enum when int.TryParse(text, CultureInfo.InvariantCulture, out int number) => number,
        // Query strings often carry the alphabet that needs no escaping there.
        FieldType.Bytes => text.Replace('-', '+').Replace('_', '/').PadRight((text.Length + 3) / 4 * 4, '='),
        _ => text,
    };

    private static RpcError Wrong(FieldDescriptor field, string text) => RpcError.InvalidArgument($"{field.JsonName}: '{text}' is no {field.FieldType}");
}
