using System.Text.Json;

namespace Alt.Infra.Calls;

/// <summary>The <c>usage</c> member of a reply, as OpenAI's APIs have it.</summary>
internal static class TokenUsage
{
    /// <returns>What the service reports; null if it reports nothing.</returns>
    public static (int? Input, int? Output)? Of(string body)
    {
        try
        {
            using var reply = JsonDocument.Parse(body);
            return reply.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object
                ? (Count(usage, "prompt_tokens"), Count(usage, "completion_tokens"))
                : null;
        }
        catch (JsonException)
        {
            // The reply's parser handles a success without JSON.
            return null;
        }
    }

    private static int? Count(JsonElement usage, string name) =>
        usage.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var count) && count >= 0 ? count : null;
}
