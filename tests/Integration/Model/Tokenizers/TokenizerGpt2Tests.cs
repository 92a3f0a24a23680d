using Alt.Model.Tokenizers;

namespace Alt.Tests.Model;

public sealed class TokenizerGpt2Tests(Gpt2Reference package) : IClassFixture<Gpt2Reference>
{
    [FactOnSharedData]
    public void Real_texts_become_the_tokens_that_GPT2_gives_them_and_the_same_texts_again()
    {
        var tokenizer = Tokenizer.Load(package.Vocabulary);
        var texts = TokenRows.SharedTexts(); // The test after next has U+FEFF.
        TokenRows.RequireSame(tokenizer, texts, package.Encode(texts));
    }

    [Fact]
    public void Odd_texts_become_the_tokens_that_GPT2_gives_them()
    {
        string[] texts =
        [
            "", " ", "  ", "\n", " \n ", "a  b", "a   b", "tabs\t\tand\r\nlines \n\n end ", "I'm we'LL they'll don't 'tis 's'd 've're",
            "1234567890 12,5 ½ ² Ⅷ ٣", "Ünïcödé naïve Straße", "日本語のテキスト", "Привет, мир!", "नमस्ते", "e\u0301 combining",
            "👍🏽 👨‍👩‍👧 flags 🇩🇪",
            "\U0001D400\U0001D401 mathematical letters \U0001D7D8", "\u00A0no-break\u2003em\u3000wide",
            "zero\u200Bwidth \u0000 \u001C control",
            "<|endoftext|> stays text", new string('=', 300), new string(' ', 65) + "x", string.Concat(Enumerable.Repeat("ab", 500)), "'",
            "''", " 's", "x'",
        ];
        var tokenizer = Tokenizer.Load(package.Vocabulary);
        Assert.Equal(package.Encode(texts), texts.Select(t => tokenizer.Encode(t)));
        Assert.Equal(texts, texts.Select(t => tokenizer.Decode(tokenizer.Encode(t))));
    }

    [Fact]
    public void White_space_is_what_Unicode_says()
    {
        // Expected ids from OpenAI's tiktoken (its WebAssembly build, 1.0.22).
        var tokenizer = Tokenizer.Load(package.Vocabulary);
        Assert.Equal(
            [64, 171, 119, 123, 65, 27332, 119, 123, 171, 119, 123, 269, 27332, 119, 123, 288, 171, 119, 123, 171, 119, 123],
            tokenizer.Encode("a\uFEFFb \uFEFF\uFEFF c \uFEFF d\uFEFF\uFEFF"));
        Assert.Equal(
            [64, 126, 227, 65, 1587, 227, 126, 227, 269, 1587, 227, 288, 126, 227, 126, 227],
            tokenizer.Encode("a\u0085b \u0085\u0085 c \u0085 d\u0085\u0085"));
    }

    [Fact]
    public void GPT2s_files_load_with_the_end_of_text_as_the_only_special_token()
    {
        var tokenizer = Tokenizer.Load(package.Vocabulary);
        Assert.Equal(50_257, tokenizer.VocabularySize);
        Assert.Equal([new KeyValuePair<int, string>(50_256, "<|endoftext|>")], tokenizer.SpecialTokens);
        Assert.Equal([15496, 50256, 995], tokenizer.Encode("Hello<|endoftext|> world", specialTokens: true));
    }
}
