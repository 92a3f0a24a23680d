using System.Text.Json;
using Alt.Domain;
using static Alt.Model.Tokenizers.TokenizerJson;

namespace Alt.Model.Tokenizers;

/// <summary>Reads what a tokenizer.json says beside its tokens. What is not known to give the same tokens here is refused.</summary>
internal sealed class TokenizerStagesReader(string file, JsonElement root, JsonElement model)
{
    private const string Mark = "▁";

    private static readonly string[] Names = ["normalizer", "pre_tokenizer", "post_processor", "decoder"];

    private static readonly Dictionary<string, WordPattern> Patterns = new(StringComparer.Ordinal)
    {
        [@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"] = WordPattern.Gpt2,
        [@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"] = WordPattern.Gpt2,
        [@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            WordPattern.Cl100k,
        [@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"] =
            WordPattern.Cl100k,
        [@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"] =
            WordPattern.Qwen2,
    };

    /// <param name="vocabularySize">Ids are below it.</param>
    public TokenizerStages Read(int vocabularySize)
    {
        RequireOff(file, model, "continuing_subword_prefix");
        RequireOff(file, model, "end_of_word_suffix");
        var before = new List<int>();
        var after = new List<int>();
        ReadPostProcessor(Stage("post_processor"), before, after);
        if (before.Concat(after).Any(id => (uint)id >= (uint)vocabularySize))
        {
            throw Malformed(file, "post_processor adds an id that is no token", $"ids from 0 to {vocabularySize - 1}");
        }

        var stages = new TokenizerStages
        {
            IgnoresMerges = Flag(model, "ignore_merges"),
            Before = before,
            After = after,
            Written = Names.ToDictionary(name => name, name => Stage(name).Clone()),
        };
        return TypeOf(Stage("decoder")) == "Sequence" ? ReadPieces(stages) : ReadBytes(stages);
    }

    private TokenizerStages ReadBytes(TokenizerStages stages)
    {
        if (TypeOf(Stage("decoder")) is not (null or "ByteLevel"))
        {
            throw Unknown("decoder", Stage("decoder"), "ByteLevel, or Llama 2's Sequence of Replace, ByteFallback, Fuse and Strip");
        }

        RequireOff(file, model, "byte_fallback");
        return stages with
        {
            Normalization = Flatten(Stage("normalizer"), "normalizers").Select(TypeOf).ToArray() switch
            {
                [] => Normalization.None,
                ["NFC"] => Normalization.Composed,
                _ => throw Unknown("normalizer", Stage("normalizer"), "none or NFC in a byte-level tokenizer"),
            },
            Words = ReadBytePattern(Stage("pre_tokenizer")),
        };
    }

    private WordPattern ReadBytePattern(JsonElement stage)
    {
        var parts = Flatten(stage, "pretokenizers");
        var pattern = parts.Select(TypeOf).ToArray() switch
        {
            ["ByteLevel"] when Flag(parts[0], "use_regex", absent: true) => WordPattern.Gpt2,
            ["Split", "ByteLevel"] when !Flag(parts[1], "use_regex", absent: true) => ReadSplit(parts[0]),
            _ => throw Unknown(
                "pre_tokenizer", stage, "'ByteLevel', or Sequence of Split by a regular expression and ByteLevel without one"),
        };
        RequireOff(file, parts[^1], "add_prefix_space");
        return pattern;
    }

    private WordPattern ReadSplit(JsonElement split)
    {
        var regex = Text(Optional(split, "pattern"), "Regex");
        return regex is not null && Patterns.TryGetValue(regex, out var pattern)
            && Text(split, "behavior") == "Isolated" && !Flag(split, "invert")
            ? pattern
            : throw Malformed(
                file, "pre_tokenizer splits by another pattern than those known",
                "GPT-2's, cl100k's, Llama 3's or Qwen2's regular expression with behavior Isolated");
    }

    private TokenizerStages ReadPieces(TokenizerStages stages)
    {
        var normalizer = Stage("normalizer");
        var unknown = Text(model, "unk_token");
        return stages with
        {
            Normalization = Flatten(normalizer, "normalizers").Select(IsKnown).ToArray() switch
            {
                [] => Normalization.None,
                ["Replace"] => Normalization.Marked,
                ["Prepend", "Replace"] => Normalization.MarkedWithPrefix,
                _ => throw Unknown("normalizer", normalizer, $"Prepend '{Mark}' and Replace ' ' by '{Mark}' in a tokenizer of pieces"),
            },
            Metaspace = ReadMetaspace(Stage("pre_tokenizer"), out var isCut),
            Words = isCut ? WordPattern.Marks : WordPattern.Whole,
            Pieces = new SentencePieces(unknown, Flag(model, "fuse_unk"), Flag(model, "byte_fallback"), ReadDecoder(Stage("decoder"))),
        };

        static string? IsKnown(JsonElement part) => TypeOf(part) switch
        {
            "Prepend" when Text(part, "prepend") == Mark => "Prepend",
            "Replace" when Text(Optional(part, "pattern"), "String") == " " && Text(part, "content") == Mark => "Replace",
            _ => null,
        };
    }

    private Metaspace ReadMetaspace(JsonElement stage, out bool isCut)
    {
        isCut = false;
        if (stage.ValueKind == JsonValueKind.Null)
        {
            return Metaspace.None;
        }

        if (TypeOf(stage) != "Metaspace" || Text(stage, "replacement") != Mark)
        {
            throw Unknown("pre_tokenizer", stage, $"none or Metaspace with '{Mark}' in a tokenizer of pieces");
        }

        isCut = Flag(stage, "split", absent: true);
        return (Text(stage, "prepend_scheme") ?? (Flag(stage, "add_prefix_space", absent: true) ? "always" : "never")) switch
        {
            "always" => Metaspace.Always,
            "first" => Metaspace.First,
            "never" => Metaspace.Never,
            _ => throw Malformed(file, "Metaspace's prepend_scheme is another than those known", "always, first or never"),
        };
    }

    /// <returns>Whether a space at the start is taken away.</returns>
    private bool ReadDecoder(JsonElement stage)
    {
        var parts = Flatten(stage, "decoders");
        var strip = parts.Length == 4 && TypeOf(parts[3]) == "Strip" && Text(parts[3], "content") == " " && Number(parts[3], "stop") == 0
            ? Number(parts[3], "start")
            : null;
        return parts.Length is 3 or 4 && parts[..3].Select(TypeOf).SequenceEqual(["Replace", "ByteFallback", "Fuse"])
            && Text(Optional(parts[0], "pattern"), "String") == Mark
            && Text(parts[0], "content") == " " && (parts.Length == 3 || strip is 0 or 1)
            ? strip == 1
            : throw Unknown("decoder", stage, $"Replace '{Mark}' by ' ', ByteFallback, Fuse and Strip of at most one space at the start");
    }

    private void ReadPostProcessor(JsonElement stage, List<int> before, List<int> after)
    {
        foreach (var part in Flatten(stage, "processors"))
        {
            switch (TypeOf(part))
            {
                case "ByteLevel":
                    break;
                case "TemplateProcessing" when before.Count + after.Count == 0:
                    ReadTemplate(part, before, after);
                    break;
                case "RobertaProcessing" or "BertProcessing" when before.Count + after.Count == 0:
                    before.Add(PairId(part, "cls"));
                    after.Add(PairId(part, "sep"));
                    break;
                default:
                    throw Unknown("post_processor", stage, "ByteLevel, TemplateProcessing, or Sequence of both");
            }
        }
    }

    private void ReadTemplate(JsonElement template, List<int> before, List<int> after)
    {
        var hasText = false;
        foreach (var part in Member(template, file, "single", JsonValueKind.Array).EnumerateArray())
        {
            if (Optional(part, "Sequence") is { } sequence && Text(sequence, "id") == "A" && !hasText)
            {
                hasText = true;
            }
            else if (Text(Optional(part, "SpecialToken"), "id") is { } token)
            {
                var ids = Member(
                    Member(Member(template, file, "special_tokens", JsonValueKind.Object), file, token, JsonValueKind.Object), file, "ids",
                    JsonValueKind.Array);
                (hasText ? after : before).AddRange(ids.EnumerateArray().Select(Id));
            }
            else
            {
                throw Malformed(
                    file, "the template of post_processor has a part that is neither a special token nor the text",
                    "{\"SpecialToken\": …} or {\"Sequence\": {\"id\": \"A\"}}");
            }
        }

        if (!hasText)
        {
            throw Malformed(file, "the template of post_processor leaves the text out", "{\"Sequence\": {\"id\": \"A\"}} once");
        }
    }

    private int PairId(JsonElement part, string name)
    {
        var pair = Member(part, file, name, JsonValueKind.Array);
        return pair.GetArrayLength() == 2 ? Id(pair[1]) : throw Malformed(file, $"'{name}' is not a token with its id", "[\"token\", id]");
    }

    private int Id(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var id)
            ? id
            : throw Malformed(file, "post_processor has an id that is no whole number", "ids of tokens");

    private JsonElement Stage(string name) => Optional(root, name) ?? JsonElement.Parse("null");

    private JsonElement[] Flatten(JsonElement stage, string members) =>
        stage.ValueKind == JsonValueKind.Null ? []
        : TypeOf(stage) != "Sequence" ? [stage]
        : [.. Member(stage, file, members, JsonValueKind.Array).EnumerateArray()];

    private InputException Unknown(string name, JsonElement stage, string expected)
    {
        var found = stage.ValueKind == JsonValueKind.Null ? "missing"
            : TypeOf(stage) is { } type ? $"'{Excerpt(type)}'"
            : $"not an object with a type";
        return Malformed(
            file,
            $"{name}{(TypeOf(stage) is null ? "" : ".type")} is "
                + $"{found}{(TypeOf(stage) is "Sequence" ? " of other parts than those known" : "")}",
            expected);
    }

    private bool Flag(JsonElement parent, string name, bool absent = false) => Optional(parent, name)?.ValueKind switch
    {
        null => absent,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Malformed(file, $"'{name}' is of another kind", "true or false"),
    };

    private static string? TypeOf(JsonElement part) => Text(part, "type");

    private static string? Text(JsonElement? parent, string name) =>
        parent is { } p && Optional(p, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static int? Number(JsonElement parent, string name) =>
        Optional(parent, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value) ? value : null;

    private static JsonElement? Optional(JsonElement? parent, string name) => parent is { } p ? TokenizerJson.Optional(p, name) : null;
}
