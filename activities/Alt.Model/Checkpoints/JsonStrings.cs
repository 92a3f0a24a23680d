using System.Text.Json;
using System.Text.Unicode;

namespace Alt.Model.Checkpoints;

/// <summary>System.Text.Json decodes a string when it is asked for, and fails then with another exception where it is no Unicode.</summary>
internal static class JsonStrings
{
    /// <summary>Looks at every string and every name of a document.</summary>
    /// <exception cref="JsonException">
    /// The document is not valid JSON, or a string is not UTF-8 or holds half of a surrogate pair.
    /// </exception>
    public static void Check(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
        {
            throw new JsonException("it is not UTF-8");
        }

        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                {
                    _ = reader.GetString();
                }
            }
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException($"the string at byte {reader.TokenStartIndex} is not Unicode", e);
        }
    }
}
