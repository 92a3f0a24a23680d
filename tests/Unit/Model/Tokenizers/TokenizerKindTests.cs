using System.Text.Json;
using Alt.Model.Tokenizers;

namespace Alt.Tests.Model;

/// <summary>Against Hugging Face's tokenizers, as tests/Golden/tokenizer_reference.py wrote its values down.</summary>
public sealed class TokenizerKindTests : IDisposable
{
    private static readonly Lazy<JsonElement> Expected = new(() => JsonElement.Parse(File.ReadAllBytes(Golden("expected.json"))));

    private readonly string _folder = Directory.CreateTempSubdirectory("alt-tokenizer-").FullName;

    public static TheoryData<string> Kinds => ["gpt-neox", "llama-3", "qwen2", "llama-2", "llama-2-first"];

    private static string[] Texts => Expected.Value.GetProperty("texts").Deserialize<string[]>()!;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Texts_become_the_tokens_that_the_reference_gives_them(string kind)
    {
        var tokenizer = Tokenizer.Load(Golden(kind));
        Equal(kind, "ids", Ids(kind, "ids"), Texts.Select(text => tokenizer.Encode(text, specialTokens: true)));
        Equal(kind, "plain", Ids(kind, "plain"), Texts.Select(text => tokenizer.Encode(text)));
        Equal(kind, "template", Ids(kind, "template"), Texts.Select(text =>
            (int[])[.. tokenizer.Before, .. tokenizer.Encode(text, specialTokens: true), .. tokenizer.After]));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Tokens_become_the_texts_that_the_reference_gives_them(string kind)
    {
        var tokenizer = Tokenizer.Load(Golden(kind));
        Equal(kind, "decoded", Strings(kind, "decoded"), Ids(kind, "ids").Select(ids => tokenizer.Decode(ids)));
        Equal(
            kind, "withoutSpecial", Strings(kind, "withoutSpecial"),
            Ids(kind, "ids").Select(ids => tokenizer.Decode(ids, skipSpecialTokens: true)));
        Equal(kind, "rowsDecoded", Strings(kind, "rowsDecoded"), Ids(kind, "rows").Select(ids => tokenizer.Decode(ids)));
    }

    [Theory]
    [InlineData("llama-3", 1)]
    [InlineData("llama-2", 1)]
    [InlineData("qwen2", 0)]
    public void A_prompt_begins_as_the_model_was_trained_to_see_texts(string kind, int before)
    {
        var tokenizer = Tokenizer.Load(Golden(kind));
        Assert.Equal([.. Ids(kind, "template")[0], .. tokenizer.Encode("the cat")], tokenizer.EncodePrompt("the cat"));
        Assert.Equal(before, tokenizer.Before.Count);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_saved_loads_as_an_equal_tokenizer(string kind)
    {
        var tokenizer = Tokenizer.Load(Golden(kind)).AddSpecialTokens("<|best|>", "<|worst|>");
        tokenizer.Save(_folder);
        var loaded = Tokenizer.Load(_folder);
        Assert.Equal(tokenizer.Hash, loaded.Hash);
        Assert.Equal(tokenizer.SpecialTokens, loaded.SpecialTokens);
        foreach (var text in Texts.Append("the<|best|> cat <|worst|>"))
        {
            Assert.Equal(tokenizer.Encode(text, specialTokens: true), loaded.Encode(text, specialTokens: true));
        }

        loaded.Save(_folder);
        Assert.Equal(tokenizer.Hash, Tokenizer.Load(_folder).Hash);
        Assert.Contains(
            "PreTrainedTokenizerFast", File.ReadAllText(Path.Combine(_folder, "tokenizer_config.json")), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_text_decoded_in_two_parts_is_the_text_decoded_at_once(string kind)
    {
        var tokenizer = Tokenizer.Load(Golden(kind));
        const string text = " the cat  sat on\nthe mat, and the dog slept.";
        var ids = tokenizer.Encode(text);
        for (var at = 1; at < ids.Length; at++)
        {
            Assert.Equal(tokenizer.Decode(ids), tokenizer.Decode(ids.AsSpan(0, at)) + tokenizer.Decode(ids.AsSpan(at), continues: true));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_text_without_spaces_of_a_hundred_thousand_characters_is_encoded_at_once(string kind)
    {
        var tokenizer = Tokenizer.Load(Golden(kind));
        var text = string.Concat(Enumerable.Repeat("thecatsatonthemat", 6_000));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        text = new string(' ', 100_000);
        Assert.Equal(tokenizer.Decode(tokenizer.Encode(text)).Length, kind == "llama-2-first" ? text.Length - 1 : text.Length);
    }

    private static string Golden(params string[] path) => Repository.PathOf(["tests", "Golden", "tokenizers", .. path]);

    private static int[][] Ids(string kind, string name) => Expected.Value.GetProperty(kind).GetProperty(name).Deserialize<int[][]>()!;

    private static string[] Strings(string kind, string name) =>
        Expected.Value.GetProperty(kind).GetProperty(name).Deserialize<string[]>()!;

    private static void Equal<T>(string kind, string name, IEnumerable<T> expected, IEnumerable<T> actual)
    {
        foreach (var (row, (e, a)) in expected.Zip(actual).Index())
        {
            Assert.True(
                JsonSerializer.Serialize(e) == JsonSerializer.Serialize(a),
                $"{kind}, {name} {row}: expected {JsonSerializer.Serialize(e)}, found {JsonSerializer.Serialize(a)}");
        }
    }
}
