using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using static Alt.Model.Tokenizers.TokenizerJson;

namespace Alt.Model.Tokenizers;

/// <summary>A tokenizer's files: Hugging Face's <c>tokenizer.json</c>, and OpenAI's <c>vocab.json</c> with <c>merges.txt</c>.</summary>
internal static class TokenizerFiles
{
    private const string JsonName = "tokenizer.json", VocabularyName = "vocab.json", MergesName = "merges.txt",
        AddedName = "added_tokens.json";
    internal const string ConfigName = "tokenizer_config.json";

    public const string ChatTemplateName = "chat_template.jinja";
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
        if (tokenizer.Stages.IsGpt2)
        {
            File.WriteAllBytes(Path.Combine(folder, VocabularyName), Write(writer => WriteVocabulary(writer, tokenizer)));
            File.WriteAllText(
                Path.Combine(folder, MergesName), string.Concat(MergeLines(tokenizer).Prepend(VersionLine).Select(line => line + "\n")));
        }

        foreach (var (name, content) in tokenizer.Companions)
        {
            File.WriteAllBytes(Path.Combine(folder, name), content);
        }
    }

    /// <summary>The bytes of <c>tokenizer.json</c>, the same for equal tokenizers.</summary>
    public static byte[] Json(Tokenizer tokenizer) => Write(writer =>
    {
        var stages = tokenizer.Stages;
        writer.WriteStartObject();
        writer.WriteString("version", "1.0");
        writer.WriteNull("truncation");
        writer.WriteNull("padding");
        writer.WriteStartArray("added_tokens");
        foreach (var token in tokenizer.Added)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", token.Id);
            writer.WriteString("content", token.Content);
            writer.WriteBoolean("single_word", token.SingleWord);
            writer.WriteBoolean("lstrip", token.LeftStrip);
            writer.WriteBoolean("rstrip", token.RightStrip);
            writer.WriteBoolean("normalized", token.Normalized);
            writer.WriteBoolean("special", token.Special);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (stages.IsGpt2)
        {
            WriteGpt2Stages(writer);
        }
        else
        {
            foreach (var (name, stage) in stages.Written)
            {
                writer.WritePropertyName(name);
                stage.WriteTo(writer);
            }
        }

        writer.WriteStartObject("model");
        writer.WriteString("type", "BPE");
        writer.WriteNull("dropout");
        writer.WriteString("unk_token", stages.Pieces?.Unknown);
        writer.WriteString("continuing_subword_prefix", stages.IsGpt2 ? "" : null);
        writer.WriteString("end_of_word_suffix", stages.IsGpt2 ? "" : null);
        writer.WriteBoolean("fuse_unk", stages.Pieces?.Fused ?? false);
        writer.WriteBoolean("byte_fallback", stages.Pieces?.ByBytes ?? false);
        writer.WriteBoolean("ignore_merges", stages.IgnoresMerges);
        writer.WritePropertyName("vocab");
        WriteVocabulary(writer, tokenizer);
        writer.WriteStartArray("merges");
        WriteMerges(writer, tokenizer);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    private static void WriteGpt2Stages(Utf8JsonWriter writer)
    {
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
    }

    // As strings, which all versions of the tokenizers library read, unless a token has the space that would part them.
    private static void WriteMerges(Utf8JsonWriter writer, Tokenizer tokenizer)
    {
        if (!tokenizer.Merges.Any(merge => tokenizer.Tokens[merge.Id].Contains(' ')))
        {
            foreach (var line in MergeLines(tokenizer))
            {
                writer.WriteStringValue(line);
            }

            return;
        }

        foreach (var (left, right, _) in tokenizer.Merges)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(tokenizer.Tokens[left]);
            writer.WriteStringValue(tokenizer.Tokens[right]);
            writer.WriteEndArray();
        }
    }

    private static Tokenizer LoadJson(string file)
    {
        using var document = Parse(file);
        var root = document.RootElement;
        var model = Member(root, file, "model", JsonValueKind.Object);
        // The first tokenizer.json files, GPT-2's own among them, do not say it; that they are of this kind shows in their merges.
        if (model.TryGetProperty("type", out _) && Member(model, file, "type", JsonValueKind.String).GetString() is not "BPE" and var type)
        {
            throw Malformed(file, $"model.type is '{Excerpt(type!)}'", "'BPE': other kinds of tokenizer are not supported");
        }

        if (Optional(model, "dropout") is { } dropout
            && !(dropout.ValueKind == JsonValueKind.Number && dropout.TryGetDouble(out var share) && share == 0))
        {
            throw Malformed(file, "'dropout' is set", "it to be absent, since it would change the tokens at random");
        }

        var tokens = Vocabulary(file, Member(model, file, "vocab", JsonValueKind.Object));
        var added = AddedTokens(root, file, tokens);
        var stages = new TokenizerStagesReader(file, root, model).Read(tokens.Count);
        var pairs = Member(model, file, "merges", JsonValueKind.Array).EnumerateArray().Select((merge, i) => merge.ValueKind switch
        {
            JsonValueKind.String => Split(file, $"merge {i + 1}", merge.GetString()!),
            JsonValueKind.Array when merge.GetArrayLength() == 2 && merge.EnumerateArray().All(m => m.ValueKind == JsonValueKind.String)
                => (merge[0].GetString()!, merge[1].GetString()!),
            _ => throw Malformed(file, $"merge {i + 1} is not a pair", "\"a b\" or [\"a\", \"b\"]"),
        });
        return Build(file, tokens, pairs, added, stages);
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
        (string, string)[] pairs = [.. lines.Skip(header).Select((line, i) => (line, i))
            .Where(l => l.line.Length > 0).Select(l => Split(mergesFile, $"line {l.i + header + 1}", l.line))];

        var made = pairs.Select(p => p.Item1 + p.Item2).ToHashSet(StringComparer.Ordinal);
        var special = tokens.Where(t => !made.Contains(t.Key) && ByteAlphabet.FromText(t.Key) is not { Length: 1 })
            .Select(t => AddedToken.Marker(t.Value, t.Key));
        return Build(mergesFile, tokens, pairs, [.. special], TokenizerStages.Gpt2);
    }

    private static Tokenizer Build(
        string file, Dictionary<string, int> ids, IEnumerable<(string Left, string Right)> pairs, List<AddedToken> added,
        TokenizerStages stages)
    {
        var tokens = new string[ids.Count];
        foreach (var (token, id) in ids)
        {
            if ((uint)id >= (uint)tokens.Length || tokens[id] is not null)
            {
                throw Malformed(
                    file, $"the id {id} is used twice or leaves a gap",
                    $"ids from 0 to {tokens.Length - 1}, one for each of the {tokens.Length} tokens");
            }

            tokens[id] = token;
        }

        var isAdded = added.Select(token => token.Id).ToHashSet();
        if (stages.Pieces is null)
        {
            RequireBytes(file, tokens, ids, isAdded);
        }
        else
        {
            RequirePieces(file, ids, stages.Pieces);
        }

        var merges = new List<(int, int, int)>();
        foreach (var (left, right) in pairs)
        {
            merges.Add(
                ids.TryGetValue(left, out var l) && ids.TryGetValue(right, out var r) && ids.TryGetValue(left + right, out var merged)
                    ? (l, r, merged)
                    : throw Malformed(
                        file, $"merge {merges.Count + 1} names a token that is not in the vocabulary",
                        "merges that belong to this vocabulary"));
        }

        return new Tokenizer(tokens, new BytePairMerges(merges), added, stages, Companions(Path.GetDirectoryName(file)!, stages));
    }

    private static void RequireBytes(string file, string[] tokens, Dictionary<string, int> ids, HashSet<int> isAdded)
    {
        foreach (var b in ByteAlphabet.Order)
        {
            if (!ids.TryGetValue(ByteAlphabet.ToText([b]), out var id) || isAdded.Contains(id))
            {
                throw Malformed(
                    file, $"the vocabulary has no token for the byte 0x{b:X2}", "a byte-level vocabulary as GPT-2's, with all 256 bytes");
            }
        }

        for (var id = 0; id < tokens.Length; id++)
        {
            if (tokens[id].Length == 0 || (!isAdded.Contains(id) && ByteAlphabet.FromText(tokens[id]) is null))
            {
                throw Malformed(file, $"token {id} is not written in GPT-2's byte alphabet", "a byte-level vocabulary as GPT-2's");
            }
        }
    }

    private static void RequirePieces(string file, Dictionary<string, int> ids, SentencePieces pieces)
    {
        if (ids.ContainsKey(""))
        {
            throw Malformed(file, "a token is empty", "tokens that are text");
        }

        if (pieces.Unknown is { } unknown && !ids.ContainsKey(unknown))
        {
            throw Malformed(file, "the vocabulary lacks the token that unk_token names", "a vocabulary with it");
        }

        if (pieces.ByBytes
            && Enumerable.Range(0, 256).FirstOrDefault(b => !ids.ContainsKey(ByteAlphabet.Fallback((byte)b)), -1) is >= 0 and var missing)
        {
            throw Malformed(file, $"the vocabulary has no token <0x{missing:X2}>", "byte_fallback with a token for each of the 256 bytes");
        }
    }

    private static bool HasChatTemplate(string folder)
    {
        var config = Path.Combine(folder, ConfigName);
        using var document = File.Exists(config) ? TokenizerJson.Parse(config) : JsonDocument.Parse("{}");
        return File.Exists(Path.Combine(folder, ChatTemplateName)) || TokenizerJson.Optional(document.RootElement, "chat_template") is not null;
    }

    // What transformers and chat templates need besides; GPT-2's own kind needs none of it, unless its model chats.
    private static SortedDictionary<string, byte[]> Companions(string folder, TokenizerStages stages)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        if (stages.IsGpt2 && !HasChatTemplate(folder))
        {
            return files;
        }

        foreach (var name in new[] { ConfigName, "special_tokens_map.json", ChatTemplateName })
        {
            if (Path.Combine(folder, name) is var path && File.Exists(path))
            {
                files[name] = File.ReadAllBytes(path);
            }
        }

        // Without it transformers takes the class from the model's kind, and some of those rebuild the stages in their own way.
        files.TryAdd(ConfigName, "{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n"u8.ToArray());
        return files;
    }

    private static (string, string) Split(string file, string where, string merge) =>
        merge.Split(' ') is [{ Length: > 0 } left, { Length: > 0 } right]
            ? (left, right)
            : throw Malformed(file, $"{where} is not a pair", "two tokens with one space between them");

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
        HashSet<int> outside = tokenizer.Stages.IsGpt2
            ? []
            : [.. tokenizer.Added.Where(token => !token.InVocabulary).Select(token => token.Id)];
        writer.WriteStartObject();
        for (var id = 0; id < tokenizer.VocabularySize; id++)
        {
            if (!outside.Contains(id))
            {
                writer.WriteNumber(tokenizer.Tokens[id], id);
            }
        }

        writer.WriteEndObject();
    }

    private static IEnumerable<string> MergeLines(Tokenizer tokenizer) => tokenizer.Merges.Select(m =>
        $"{tokenizer.Tokens[m.Left]} {tokenizer.Tokens[m.Right]}");
}
