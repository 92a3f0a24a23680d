using System.Text;
using System.Text.Json;
using Temporalio.Api.Common.V1;

namespace TemporalServer.Persistence;

/// <summary>
/// Search attributes as the JSON that the database indexes. Their payloads are JSON by definition; codecs never touch them.
/// </summary>
internal static class SearchAttributeJson
{
    public static string From(SearchAttributes? attributes)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            foreach ((var name, var payload) in attributes?.IndexedFields ?? [])
            {
                if (payload.Data.Length > 0 && !IsNull(payload))
                {
                    writer.WritePropertyName(name);
                    writer.WriteRawValue(payload.Data.Span);
                }
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static bool IsNull(Payload payload) => payload.Data.ToStringUtf8() is "null" or "[]";
}
