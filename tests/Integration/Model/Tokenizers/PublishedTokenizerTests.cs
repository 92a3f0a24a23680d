using System.Text.Json;
using Alt.Model.Tokenizers;

namespace Alt.Tests.Model;

/// <summary>
/// Against the npm packages llama-tokenizer-js and llama3-tokenizer-js, which carry the models' vocabularies, and gpt-tokenizer for cl100k.
/// </summary>
public sealed class PublishedTokenizerTests(Gpt2Reference gpt, PublishedTokenizerTests.LlamaReference llama) : IClassFixture<Gpt2Reference>,
    IClassFixture<PublishedTokenizerTests.LlamaReference>
{
    private static readonly string[] OddTexts =
    [
        "", " ", "  ", "\n", " \n ", "\n\n  a", "a\r\n\r\nb", "tabs\t\tand\r\nlines \n\n end ", "I'm we'LL they'll DON'T 'tis 's'd 'VE're",
        "1234567890 12,5 ½ ² Ⅷ ٣ 1234567a12",
        "Ünïcödé naïve Straße", "日本語のテキスト", "Привет, мир!", "नमस्ते", "e\u0301 combining", "👍🏽 👨‍👩‍👧 flags 🇩🇪",
        "\U0001D400\U0001D401 letters \U0001D7D8\U0001D7D9\U0001D7DA\U0001D7DB",
        "\u00A0no-break\u2003em\u3000wide", "zero\u200Bwidth \u0000 \u001C control", "!?...\n\n  --\r\n{\n\t}", new string('=', 300),
        new string(' ', 65) + "x", string.Concat(Enumerable.Repeat("ab", 500)),
        "'", "''", " 's", "x'",
    ];

    [Fact]
    public void Odd_texts_become_the_tokens_that_cl100k_gives_them() => RequireSame(Tokenizer.Load(gpt.Cl100k), texts =>
        gpt.Encode(texts, "cl100k_base"));

    [Theory]
    [InlineData("llama-2")]
    [InlineData("llama-3")]
    public void Odd_texts_become_the_tokens_that_Llama_gives_them(string model) => RequireSame(Tokenizer.Load(llama.Folder(model)), texts =>
        llama.Encode(model, texts));

    [FactOnSharedData]
    public void Real_texts_become_the_tokens_that_cl100k_gives_them_and_the_same_texts_again()
    {
        var texts = TokenRows.SharedTexts();
        TokenRows.RequireSame(Tokenizer.Load(gpt.Cl100k), texts, gpt.Encode(texts, "cl100k_base"));
    }

    [FactOnSharedData]
    public void Real_texts_become_the_tokens_that_Llama_2_gives_them_and_the_same_texts_again()
    {
        // The package takes minutes for texts of a million characters, so those are tokenized by lines.
        string[] texts = [.. TokenRows.SharedTexts().SelectMany(text => text.Length < 100_000 ? [text] : text.Split('\n'))];
        TokenRows.RequireSame(Tokenizer.Load(llama.Folder("llama-2")), texts, llama.Encode("llama-2", texts));
    }

    [FactOnSharedData]
    public void Real_texts_become_the_tokens_that_Llama_3_gives_them_and_the_same_texts_again()
    {
        var texts = TokenRows.SharedTexts();
        TokenRows.RequireSame(Tokenizer.Load(llama.Folder("llama-3")), texts, llama.Encode("llama-3", texts));
    }

    private static void RequireSame(Tokenizer tokenizer, Func<string[], IEnumerable<int[]>> reference)
    {
        Assert.Equal(reference(OddTexts), OddTexts.Select(text => tokenizer.Encode(text)));
        Assert.Equal(OddTexts, OddTexts.Select(text => tokenizer.Decode(tokenizer.Encode(text))));
    }

    public sealed class LlamaReference
    {
        private const string Words =
            @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        private const int Llama3Words = 128_000;

        private readonly NodeProject _node = new("Fixtures", "llama-tokenizers");

        /// <summary>A folder with the tokenizer.json of llama-2 or llama-3.</summary>
        public string Folder(string model)
        {
            var folder = Path.Combine(_node.Folder, model);
            var vocabulary = JsonElement.Parse(_node.Run("vocabulary.mjs", model));
            var tokens = vocabulary.GetProperty("tokens").Deserialize<string[]>()!;
            var merges = vocabulary.GetProperty("merges").Deserialize<string[]>()!;
            if (model == "llama-2")
            {
                TokenizerJsonFile.WritePieces(folder, tokens, merges);
            }
            else
            {
                TokenizerJsonFile.Write(folder, tokens[..Llama3Words], merges, Words, tokens[Llama3Words..], ignoreMerges: true);
            }

            return folder;
        }

        public IEnumerable<int[]> Encode(string model, string[] texts) =>
            TokenRows.Parse(_node.Run("encode.mjs", JsonSerializer.Serialize(new { tokenizer = model, texts })));
    }
}
