using System.Text.Json;
using Alt.Domain;

namespace Alt.Activities.Model;

/// <summary>What the tokenizers' JSON files have in common, with one error for each way in which they may be wrong.</summary>
internal static class TokenizerJson
{
    public static JsonDocument Parse(string file)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(file));
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
                throw Malformed(file, $"entry {tokens.Count + 1} of the vocabulary is not a new token with a whole number", "{\"token\": id, …}");
            }
        }

        return tokens;
    }

    /// <summary>Puts a tokenizer.json's added tokens beside the vocabulary's.</summary>
    /// <returns>Their ids.</returns>
    public static List<int> AddedTokens(JsonElement root, string file, Dictionary<string, int> tokens)
    {
        var special = new List<int>();
        if (root.TryGetProperty("added_tokens", out var added) && added.ValueKind == JsonValueKind.Array)
        {
            foreach (var token in added.EnumerateArray())
            {
                var content = Member(token, file, "content", JsonValueKind.String).GetString()!;
                if (!Member(token, file, "id", JsonValueKind.Number).TryGetInt32(out var id) || (tokens.TryGetValue(content, out var other) && other != id))
                {
                    throw Malformed(file, $"added token {special.Count + 1} has another id in the vocabulary", "one id for each token");
                }

                tokens[content] = id;
                special.Add(id);
            }
        }

        return special;
    }

    public static InputException Malformed(string where, string what, string expected) => new($"{where}: {what}; expected {expected}");
}
