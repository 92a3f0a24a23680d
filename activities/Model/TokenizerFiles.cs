using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Alt.Domain;
using static Alt.Activities.Model.TokenizerJson;

namespace Alt.Activities.Model;

/// <summary>A tokenizer's files: Hugging Face's <c>tokenizer.json</c>, and OpenAI's <c>vocab.json</c> with <c>merges.txt</c>.</summary>
internal static class TokenizerFiles
{
    private const string JsonName = "tokenizer.json", VocabularyName = "vocab.json", MergesName = "merges.txt", AddedName = "added_tokens.json";
    private const string VersionLine = "#version: 0.2";

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Tokenizer Load(string folder)
    {
        var json = Path.Combine(folder, JsonName);
        var vocabulary = Path.Combine(folder, VocabularyName);
        var merges = Path.Combine(folder, MergesName);
        return File.Exists(json) ? LoadJson(json)
            : File.Exists(vocabulary) && File.Exists(merges) ? LoadPair(vocabulary, merges, Path.Combine(folder, AddedName))
            : throw Malformed(folder, "there is no tokenizer", $"a folder with {JsonName}, or with {VocabularyName} and {MergesName}");
    }

    public static void Save(Tokenizer tokenizer, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, JsonName), Json(tokenizer));
        File.WriteAllBytes(Path.Combine(folder, VocabularyName), Write(writer => WriteVocabulary(writer, tokenizer)));
        File.WriteAllText(Path.Combine(folder, MergesName), string.Concat(MergeLines(tokenizer).Prepend(VersionLine).Select(line => line + "\n")));
    }

    /// <summary>The bytes of <c>tokenizer.json</c>, the same for equal tokenizers.</summary>
    public static byte[] Json(Tokenizer tokenizer) => Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("version", "1.0");
        writer.WriteNull("truncation");
        writer.WriteNull("padding");
        writer.WriteStartArray("added_tokens");
        foreach (var (id, token) in tokenizer.SpecialTokens)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", id);
            writer.WriteString("content", token);
            writer.WriteBoolean("single_word", false);
            writer.WriteBoolean("lstrip", false);
            writer.WriteBoolean("rstrip", false);
            writer.WriteBoolean("normalized", false);
            writer.WriteBoolean("special", true);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteNull("normalizer");
        foreach (var part in new[] { "pre_tokenizer", "post_processor", "decoder" })
        {
            writer.WriteStartObject(part);
            writer.WriteString("type", "ByteLevel");
            writer.WriteBoolean("add_prefix_space", false);
            writer.WriteBoolean("trim_offsets", false);
            writer.WriteBoolean("use_regex", true);
            writer.WriteEndObject();
        }

        writer.WriteStartObject("model");
        writer.WriteString("type", "BPE");
        writer.WriteNull("dropout");
        writer.WriteNull("unk_token");
        writer.WriteString("continuing_subword_prefix", "");
        writer.WriteString("end_of_word_suffix", "");
        writer.WriteBoolean("fuse_unk", false);
        writer.WriteBoolean("byte_fallback", false);
        writer.WriteBoolean("ignore_merges", false);
        writer.WritePropertyName("vocab");
        WriteVocabulary(writer, tokenizer);
        writer.WriteStartArray("merges");
        foreach (var line in MergeLines(tokenizer))
        {
            writer.WriteStringValue(line);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    private static Tokenizer LoadJson(string file)
    {
        using var document = Parse(file);
        var root = document.RootElement;
        var model = Member(root, file, "model", JsonValueKind.Object);
        // The first tokenizer.json files, GPT-2's own among them, do not say it; that they are of this kind shows in their merges.
        if (model.TryGetProperty("type", out _))
        {
            Require(file, "model.type", model, "type", "BPE");
        }

        Require(file, "pre_tokenizer.type", Member(root, file, "pre_tokenizer", JsonValueKind.Object), "type", "ByteLevel");
        RequireOff(file, root, "normalizer");
        RequireOff(file, model, "continuing_subword_prefix");
        RequireOff(file, model, "end_of_word_suffix");
        RequireOff(file, model, "ignore_merges");
        RequireOff(file, root.GetProperty("pre_tokenizer"), "add_prefix_space");

        var tokens = Vocabulary(file, Member(model, file, "vocab", JsonValueKind.Object));
        var special = AddedTokens(root, file, tokens);
        var pairs = Member(model, file, "merges", JsonValueKind.Array).EnumerateArray().Select((merge, i) => merge.ValueKind switch
        {
            JsonValueKind.String => Split(file, $"merge {i + 1}", merge.GetString()!),
            JsonValueKind.Array when merge.GetArrayLength() == 2 && merge.EnumerateArray().All(m => m.ValueKind == JsonValueKind.String)
                => (merge[0].GetString()!, merge[1].GetString()!),
            _ => throw Malformed(file, $"merge {i + 1} is not a pair", "\"a b\" or [\"a\", \"b\"]"),
        });
        return Build(file, tokens, pairs, "merge", special);
    }

    private static Tokenizer LoadPair(string vocabularyFile, string mergesFile, string addedFile)
    {
        using var document = Parse(vocabularyFile);
        var tokens = Vocabulary(vocabularyFile, document.RootElement);
        if (File.Exists(addedFile))
        {
            using var added = Parse(addedFile);
            foreach (var (token, id) in Vocabulary(addedFile, added.RootElement))
            {
                tokens[token] = id;
            }
        }

        var lines = File.ReadAllLines(mergesFile, Encoding.UTF8);
        var header = lines.Length > 0 && lines[0].StartsWith("#version", StringComparison.Ordinal) ? 1 : 0;
        (string, string)[] pairs = [.. lines.Skip(header).Select((line, i) => (line, i)).Where(l => l.line.Length > 0).Select(l => Split(mergesFile, $"line {l.i + header + 1}", l.line))];

        var made = pairs.Select(p => p.Item1 + p.Item2).ToHashSet(StringComparer.Ordinal);
        var special = tokens.Where(t => !made.Contains(t.Key) && TokenizerBytes.FromText(t.Key) is not { Length: 1 }).Select(t => t.Value);
        return Build(mergesFile, tokens, pairs, "merge", [.. special]);
    }

    private static Tokenizer Build(string file, Dictionary<string, int> ids, IEnumerable<(string Left, string Right)> pairs, string unit, List<int> special)
    {
        var tokens = new string[ids.Count];
        foreach (var (token, id) in ids)
        {
            if ((uint)id >= (uint)tokens.Length || tokens[id] is not null)
            {
                throw Malformed(file, $"the id {id} is used twice or leaves a gap", $"ids from 0 to {tokens.Length - 1}, one for each of the {tokens.Length} tokens");
            }

            tokens[id] = token;
        }

        var isSpecial = special.ToHashSet();
        foreach (var b in TokenizerBytes.Order)
        {
            if (!ids.TryGetValue(TokenizerBytes.ToText([b]), out var id) || isSpecial.Contains(id))
            {
                throw Malformed(file, $"the vocabulary has no token for the byte 0x{b:X2}", "a byte-level vocabulary as GPT-2's, with all 256 bytes");
            }
        }

        for (var id = 0; id < tokens.Length; id++)
        {
            if (tokens[id].Length == 0 || (!isSpecial.Contains(id) && TokenizerBytes.FromText(tokens[id]) is null))
            {
                throw Malformed(file, $"token {id} is not written in GPT-2's byte alphabet", "a byte-level vocabulary as GPT-2's");
            }
        }

        var merges = new List<(int, int, int)>();
        foreach (var (left, right) in pairs)
        {
            merges.Add(ids.TryGetValue(left, out var l) && ids.TryGetValue(right, out var r) && ids.TryGetValue(left + right, out var merged)
                ? (l, r, merged)
                : throw Malformed(file, $"{unit} {merges.Count + 1} names a token that is not in the vocabulary", "merges that belong to this vocabulary"));
        }

        return new Tokenizer(tokens, merges, isSpecial);
    }

    private static (string, string) Split(string file, string where, string merge) =>
        merge.Split(' ') is [{ Length: > 0 } left, { Length: > 0 } right]
            ? (left, right)
            : throw Malformed(file, $"{where} is not a pair", "two tokens with one space between them");

    private static void Require(string file, string where, JsonElement parent, string name, string value)
    {
        var found = Member(parent, file, name, JsonValueKind.String).GetString();
        if (found != value)
        {
            throw Malformed(file, $"{where} is '{found}'", $"'{value}': only byte-level BPE as GPT-2's is supported");
        }
    }

    private static void RequireOff(string file, JsonElement parent, string name)
    {
        var off = !parent.TryGetProperty(name, out var member)
            || member.ValueKind is JsonValueKind.Null or JsonValueKind.False
            || (member.ValueKind == JsonValueKind.String && member.GetString()!.Length == 0);
        if (!off)
        {
            throw Malformed(file, $"'{name}' is set", "it to be absent, since it would change the tokens");
        }
    }

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Relaxed))
        {
            write(writer);
        }

        return stream.ToArray();
    }

    private static void WriteVocabulary(Utf8JsonWriter writer, Tokenizer tokenizer)
    {
        writer.WriteStartObject();
        for (var id = 0; id < tokenizer.VocabularySize; id++)
        {
            writer.WriteNumber(tokenizer.Tokens[id], id);
        }

        writer.WriteEndObject();
    }

    private static IEnumerable<string> MergeLines(Tokenizer tokenizer) => tokenizer.Merges.Select(m => $"{tokenizer.Tokens[m.Left]} {tokenizer.Tokens[m.Right]}");
}
