using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Alt.Infra;

/// <summary>
/// The JSON format of all configs, reports, artifacts and workflow payloads: camelCase, enums as words, text without unneeded escapes,
/// no null members, NaN and infinities as strings (a log-probability may be -Infinity). A change here changes the hashes of what is
/// written.
/// </summary>
public static class AltJson
{
    /// <summary>One line; a member that the type lacks is an error, so that no setting is silently ignored.</summary>
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        // A user may write a judge's kind after its settings.
        AllowOutOfOrderMetadataProperties = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The same, indented for reading.</summary>
    public static JsonSerializerOptions Indented { get; } = new(Options) { WriteIndented = true };

    /// <summary>SHA-256 of a value's JSON in lower-case hexadecimal: the key under which its result can be found again.</summary>
    public static string Hash<T>(T value) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(value, Options)));
}
