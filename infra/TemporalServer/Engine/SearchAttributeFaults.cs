using System.Text.Json;
using Temporalio.Api.Common.V1;

namespace TemporalServer.Engine;

/// <summary>The rules for setting search attributes, in Temporal's wording.</summary>
internal static class SearchAttributeFaults
{
    /// <summary>Why these cannot be set, or null.</summary>
    /// <param name="isDefined">Whether a search attribute of this name exists.</param>
    public static string? Fault(SearchAttributes? attributes, string ns, Func<string, bool> isDefined)
    {
        foreach ((var name, var payload) in attributes?.IndexedFields ?? [])
        {
            if (!isDefined(name))
            {
                return $"Namespace {ns} has no mapping defined for search attribute {name}";
            }

            if (payload.Data.Length > 0 && !IsJson(payload))
            {
                return $"Invalid value for search attribute {name}.";
            }
        }

        return null;
    }

    private static bool IsJson(Payload payload)
    {
        var reader = new Utf8JsonReader(payload.Data.Span);
        try
        {
            return JsonDocument.TryParseValue(ref reader, out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
