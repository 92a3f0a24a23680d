using System.Text.Json;
using Alt.Domain;
using Alt.Model.Checkpoints;

namespace Alt.Model.Tokenizers;

/// <summary>What the tokenizers' JSON files have in common, with one error for each way in which they may be wrong.</summary>
internal static class TokenizerJson
{
    public static JsonDocument Parse(string file) => Parse(file, File.ReadAllBytes(file));

    /// <param name="file">What errors call it.</param>
    public static JsonDocument Parse(string file, byte[] bytes)
    {
        try
        {
            JsonStrings.Check(bytes);
            return JsonDocument.Parse(bytes);
        }
        catch (JsonException e)
        {
            throw new InputException($"{file}:{e.LineNumber + 1}: not valid JSON; expected a tokenizer's JSON: fetch or train it again", e);
        }
    }

    public static JsonElement Member(JsonElement parent, string file, string name, JsonValueKind kind) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) && member.ValueKind == kind
            ? member
            : throw Malformed(file, $"'{name}' is missing or of another kind", kind.ToString().ToLowerInvariant());

    public static Dictionary<string, int> Vocabulary(string file, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Malformed(file, $"the vocabulary is not an object but {element.ValueKind}", "{\"token\": id, …}");
        }

        var tokens = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Number || !member.Value.TryGetInt32(out var id) || !tokens.TryAdd(member.Name, id))
            {
                throw Malformed(
                    file, $"entry {tokens.Count + 1} of the vocabulary is not a new token with a whole number", "{\"token\": id, …}");
            }
        }

        return tokens;
    }

    /// <summary>Puts a tokenizer.json's added tokens beside the vocabulary's.</summary>
    public static List<AddedToken> AddedTokens(JsonElement root, string file, Dictionary<string, int> tokens)
    {
        var added = new Dictionary<string, AddedToken>(StringComparer.Ordinal);
        if (Optional(root, "added_tokens") is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (var token in list.EnumerateArray())
            {
                var content = Member(token, file, "content", JsonValueKind.String).GetString()!;
                var isKnown = tokens.TryGetValue(content, out var known);
                if (!Member(token, file, "id", JsonValueKind.Number).TryGetInt32(out var id) || (isKnown && known != id))
                {
                    throw Malformed(file, $"added token {added.Count + 1} has another id in the vocabulary", "one id for each token");
                }

                added.TryAdd(content, new AddedToken(
                    id, content, IsSet(token, "single_word"), IsSet(token, "lstrip"), IsSet(token, "rstrip"), IsSet(token, "normalized"),
                    IsSet(token, "special"), isKnown));
                tokens[content] = id;
            }
        }

        return [.. added.Values];
    }

    /// <summary>Refuses what would change the tokens.</summary>
    public static void RequireOff(string file, JsonElement parent, string name)
    {
        if (Optional(parent, name) is { } member && member.ValueKind != JsonValueKind.False
            && !(member.ValueKind == JsonValueKind.String && member.GetString()!.Length == 0))
        {
            throw Malformed(file, $"'{name}' is set", "it to be absent, since it would change the tokens");
        }
    }

    /// <returns>Null where the member is absent or null, or the parent no object.</returns>
    public static JsonElement? Optional(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null
            ? member
            : null;

    /// <summary>A file's text as an error may quote it.</summary>
    public static string Excerpt(string text) => text.Length <= 40 ? text : text[..40] + "…";

    public static InputException Malformed(string where, string what, string expected) => new($"{where}: {what}; expected {expected}");

    private static bool IsSet(JsonElement parent, string name) => Optional(parent, name)?.ValueKind == JsonValueKind.True;
}
