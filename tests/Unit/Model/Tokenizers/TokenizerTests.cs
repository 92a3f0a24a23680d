using System.Text.Json;
using Alt.Model.Chat;
using Alt.Model.Tokenizers;

namespace Alt.Tests.Model;

public sealed class TokenizerTests : IDisposable
{
    private const string End = "<|endoftext|>";
    private static readonly string[] Texts = ["the cat sat on the mat", "the cat's hat, the bat and the rat", "a cat and a hat"];

    private readonly string _folder = Directory.CreateTempSubdirectory("alt-tokenizer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Training_is_the_same_for_the_same_texts_in_any_order()
    {
        var tokenizer = Tokenizer.Train(Texts, 265, [End]);
        Assert.Equal(tokenizer.Hash, Tokenizer.Train(Texts.Reverse(), 265, [End]).Hash);
        Assert.NotEqual(tokenizer.Hash, Tokenizer.Train(Texts, 264, [End]).Hash);
    }

    [Fact]
    public void Training_merges_the_most_frequent_pair_and_of_equals_the_one_with_the_lower_ids()
    {
        // "ab" occurs three times, "cd" and "dc" twice; 'c' is numbered before 'd'.
        var tokenizer = Tokenizer.Train(["ab", "ab", "ab", "cdc", "cdc"], 260, []);
        Assert.Equal(256, tokenizer.IdOf("ab"));
        Assert.Equal(257, tokenizer.IdOf("cd"));
        Assert.Equal(258, tokenizer.IdOf("cdc"));
    }

    [Fact]
    public void Training_counts_overlapping_pairs_as_it_merges_them()
    {
        var tokenizer = Tokenizer.Train(["aaaaaaa", "aaaaaaa"], 300, []);
        Assert.Equal(
            ["aa", "aaaa", "aaa", "aaaaaaa"], Enumerable.Range(256, tokenizer.VocabularySize - 256).Select(id => tokenizer.Decode([id])));
        Assert.Equal(259, Assert.Single(tokenizer.Encode("aaaaaaa")));
    }

    [Fact]
    public void Training_stops_where_no_pair_occurs_twice()
    {
        Assert.Equal(256, Tokenizer.Train(["abcdefg"], 1_000, []).VocabularySize);
        Assert.Throws<ArgumentOutOfRangeException>(() => Tokenizer.Train(Texts, 256, [End]));
    }

    [Fact]
    public void Frequent_words_become_single_tokens_and_special_tokens_come_last()
    {
        var tokenizer = Tokenizer.Train(Texts, 300, [End, "<|separator|>"]);
        Assert.Single(tokenizer.Encode(" cat"));
        Assert.Equal(tokenizer.VocabularySize - 2, tokenizer.IdOf(End));
        Assert.Equal(tokenizer.VocabularySize - 1, tokenizer.IdOf("<|separator|>"));
        Assert.Null(tokenizer.IdOf("<|other|>"));
    }

    [Fact]
    public void Special_tokens_come_from_text_only_when_asked()
    {
        var tokenizer = Tokenizer.Train(Texts, 300, [End, "<|end"]);
        var end = tokenizer.IdOf(End)!.Value;
        Assert.DoesNotContain(end, tokenizer.Encode($"the{End}"));
        Assert.Equal(
            [.. tokenizer.Encode("the"), end, .. tokenizer.Encode(" cat"), end],
            tokenizer.Encode($"the{End} cat{End}", specialTokens: true));
        Assert.Equal($"the{End}", tokenizer.Decode([.. tokenizer.Encode("the"), end]));
        Assert.Equal("the", tokenizer.Decode([.. tokenizer.Encode("the"), end], skipSpecialTokens: true));
    }

    [Fact]
    public void Adding_special_tokens_leaves_every_other_token_as_it_was()
    {
        var tokenizer = Tokenizer.Train(Texts, 300, [End]);
        var more = tokenizer.AddSpecialTokens("<best>", End, "<worst>", "<best>");
        Assert.Equal(tokenizer.VocabularySize + 2, more.VocabularySize);
        Assert.Equal(tokenizer.IdOf(End), more.IdOf(End));
        Assert.Equal(tokenizer.VocabularySize, more.IdOf("<best>"));
        Assert.Equal(tokenizer.Encode(Texts[0]), more.Encode(Texts[0]));
        Assert.Throws<ArgumentException>(() => tokenizer.AddSpecialTokens("a"));
    }

    [Fact]
    public void Any_text_comes_back_and_half_a_surrogate_pair_becomes_the_replacement_character()
    {
        var tokenizer = Tokenizer.Train(Texts, 300, []);
        const string odd = " \n\tÜmläut 日本 👍🏽 \U0001D400\0";
        Assert.Equal(odd, tokenizer.Decode(tokenizer.Encode(odd)));
        Assert.Equal("a\uFFFDb", tokenizer.Decode(tokenizer.Encode("a\uD83Db")));
        Assert.Empty(tokenizer.Encode(""));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([-1]));
    }

    [Fact]
    public void An_id_of_a_models_spare_row_leaves_no_text()
    {
        var tokenizer = Tokenizer.Train(Texts, 300, [End]);
        Assert.Equal("the", tokenizer.Decode([tokenizer.VocabularySize, .. tokenizer.Encode("the"), int.MaxValue]));
    }

    [Fact]
    public void A_word_of_a_hundred_thousand_letters_is_encoded_at_once()
    {
        var tokenizer = Tokenizer.Train([new string('a', 64)], 300, []);
        var word = new string('a', 100_000);
        Assert.Equal(word, tokenizer.Decode(tokenizer.Encode(word)));
    }

    [Fact]
    public void Both_kinds_of_files_load_as_what_was_saved()
    {
        var tokenizer = Tokenizer.Train(Texts, 300, [End]).AddSpecialTokens("<best>");
        tokenizer.Save(_folder);
        Assert.Equal(tokenizer.Hash, Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(_folder, "tokenizer.json")))));
        Assert.Equal(tokenizer.Hash, Tokenizer.Load(_folder).Hash);

        File.Delete(Path.Combine(_folder, "tokenizer.json"));
        Assert.Equal(tokenizer.Hash, Tokenizer.Load(_folder).Hash);
    }

    [Fact]
    public void Merges_load_as_strings_and_as_pairs_and_added_tokens_from_their_own_file()
    {
        var tokenizer = Tokenizer.Train(Texts, 300, [End]);
        tokenizer.Save(_folder);
        var file = Path.Combine(_folder, "tokenizer.json");
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(file))!;
        var pairs = json["model"]!["merges"]!.AsArray().Select(m => m!.GetValue<string>().Split(' '));
        json["model"]!["merges"] = JsonSerializer.SerializeToNode(pairs);
        File.WriteAllText(file, json.ToJsonString());
        Assert.Equal(tokenizer.Hash, Tokenizer.Load(_folder).Hash);

        File.Delete(file);
        File.WriteAllText(
            Path.Combine(_folder, "added_tokens.json"),
            JsonSerializer.Serialize(new Dictionary<string, int> { ["<best>"] = tokenizer.VocabularySize }));
        Assert.Equal(tokenizer.AddSpecialTokens("<best>").Hash, Tokenizer.Load(_folder).Hash);
    }

    [Fact]
    public void A_model_that_chats_keeps_its_template_and_others_save_three_files()
    {
        var (source, copy) = (Path.Combine(_folder, "source"), Path.Combine(_folder, "copy"));
        Tokenizer.Train(Texts, 300, [End]).Save(source);
        File.WriteAllText(Path.Combine(source, "tokenizer_config.json"), "{\"eos_token\": \"<|endoftext|>\"}");
        Tokenizer.Load(source).Save(copy);
        Assert.Equal(
            ["merges.txt", "tokenizer.json", "vocab.json"],
            Directory.EnumerateFiles(copy).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        File.WriteAllText(Path.Combine(source, "chat_template.jinja"), "{{ messages[0].content ~ eos_token }}");
        Tokenizer.Load(source).AddSpecialTokens("<best>").Save(copy);
        Assert.Equal($"hi{End}", ChatTemplate.Load(copy)!.Render([new("user", "hi")], addGenerationPrompt: false));
    }

    [FactOnSharedData]
    public void A_real_corpus_trains_a_vocabulary_that_gives_every_text_back()
    {
        string[] texts = [.. SharedData.Strings()];
        var tokenizer = Tokenizer.Train(texts, 5_256, [End]);
        Assert.Equal(5_256, tokenizer.VocabularySize);
        for (var row = 0; row < texts.Length; row++)
        {
            Assert.True(
                tokenizer.Decode(tokenizer.Encode(texts[row])) == texts[row], $"String {row} of the shared data does not come back.");
        }
    }
}
