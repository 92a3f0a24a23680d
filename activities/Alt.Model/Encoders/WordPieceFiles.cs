using System.Text.Json;
using static Alt.Model.Tokenizers.TokenizerJson;

namespace Alt.Model.Encoders;

/// <summary>A WordPiece tokenizer's files: Hugging Face's <c>tokenizer.json</c>, and Google's <c>vocab.txt</c>, one piece a line.</summary>
internal static class WordPieceFiles
{
    public static WordPieceTokenizer Load(string folder)
    {
        var json = Path.Combine(folder, "tokenizer.json");
        var vocabulary = Path.Combine(folder, "vocab.txt");
        return File.Exists(json) ? LoadJson(json)
            : File.Exists(vocabulary) ? LoadText(vocabulary, Path.Combine(folder, "tokenizer_config.json"))
            : throw Malformed(folder, "there is no tokenizer", "a folder with tokenizer.json or vocab.txt");
    }

    private static WordPieceTokenizer LoadJson(string file)
    {
        using var document = Parse(file);
        var root = document.RootElement;
        var model = Member(root, file, "model", JsonValueKind.Object);
        // The first tokenizer.json files, BERT's own among them, do not say it; only WordPiece has this key.
        if (Optional(model, "type") is not null || Optional(model, "max_input_chars_per_word") is null)
        {
            Require(file, "model.type", model, "WordPiece");
        }

        var normalizer = Member(root, file, "normalizer", JsonValueKind.Object);
        Require(file, "normalizer.type", normalizer, "BertNormalizer");
        Require(file, "pre_tokenizer.type", Member(root, file, "pre_tokenizer", JsonValueKind.Object), "BertPreTokenizer");

        var tokens = Vocabulary(file, Member(model, file, "vocab", JsonValueKind.Object));
        AddedTokens(root, file, tokens);
        var lowerCase = Flag(file, normalizer, "lowercase") ?? true;
        return new WordPieceTokenizer(
            tokens,
            new BertNormalizer(
                Flag(file, normalizer, "clean_text") ?? true, Flag(file, normalizer, "handle_chinese_chars") ?? true,
                Flag(file, normalizer, "strip_accents") ?? lowerCase, lowerCase),
            Text(file, model, "unk_token") ?? WordPieceTokenizer.DefaultUnknown,
            Text(file, model, "continuing_subword_prefix") ?? WordPieceTokenizer.DefaultContinuation,
            Number(file, model, "max_input_chars_per_word") ?? WordPieceTokenizer.DefaultLongestWord,
            file);
    }

    private static WordPieceTokenizer LoadText(string file, string configFile)
    {
        var tokens = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (id, piece) in File.ReadLines(file).Index().Where(line => line.Item.Length > 0))
        {
            tokens[piece] = id;
        }

        using var config = File.Exists(configFile) ? Parse(configFile) : JsonDocument.Parse("{}");
        var lowerCase = Flag(configFile, config.RootElement, "do_lower_case") ?? true;
        var normalizer = new BertNormalizer(
            CleanText: true, Flag(configFile, config.RootElement, "tokenize_chinese_chars") ?? true,
            Flag(configFile, config.RootElement, "strip_accents") ?? lowerCase, lowerCase);
        return new WordPieceTokenizer(
            tokens, normalizer, WordPieceTokenizer.DefaultUnknown, WordPieceTokenizer.DefaultContinuation,
            WordPieceTokenizer.DefaultLongestWord, file);
    }

    private static void Require(string file, string where, JsonElement parent, string value)
    {
        var found = Text(file, parent, "type");
        if (found != value)
        {
            throw Malformed(file, $"{where} is '{found}'", $"'{value}': only BERT's tokenizers are read for a BERT model");
        }
    }

    private static bool? Flag(string file, JsonElement parent, string name) => Optional(parent, name)?.ValueKind switch
    {
        null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Malformed(file, $"'{name}' is of another kind", "true or false"),
    };

    private static string? Text(string file, JsonElement parent, string name) => Optional(parent, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw Malformed(file, $"'{name}' is of another kind", "a string"),
    };

    private static int? Number(string file, JsonElement parent, string name) => Optional(parent, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt32(out var value) => value,
        _ => throw Malformed(file, $"'{name}' is of another kind", "a whole number"),
    };

    private static JsonElement? Optional(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null
            ? member
            : null;
}
