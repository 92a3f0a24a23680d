using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Model.Encoders;
using Alt.Model.Tokenizers;

namespace Alt.Tests.Model;

public sealed class WordPieceTokenizerTests
{
    private static readonly EncoderReference.Values Expected = EncoderReference.Expected;

    [Fact]
    public void Every_tricky_text_has_the_references_tokens() =>
        Equal(Expected.Bert.Tokens, WordPieceTokenizer.Load(EncoderReference.Folder("bert")).Encode);

    [Fact]
    public void Every_tricky_text_has_the_references_tokens_from_vocab_txt_too() =>
        Equal(Expected.Bert.Tokens, WordPieceTokenizer.Load(EncoderReference.Folder("contriever")).Encode);

    [Fact]
    public void Every_tricky_text_has_the_references_tokens_where_case_and_accents_count()
    {
        using var checkpoint = new CheckpointCopy("contriever");
        checkpoint.Change("tokenizer_config.json", "true", "false");
        Equal(Expected.Cased.Tokens, WordPieceTokenizer.Load(checkpoint.Folder).Encode);
    }

    [Fact]
    public void Every_tricky_text_has_the_references_tokens_in_byte_level_BPE() =>
        Equal(Expected.Roberta.Tokens, text => Tokenizer.Load(EncoderReference.Folder("roberta")).Encode(text));

    [Fact]
    public void The_oldest_files_which_do_not_say_their_models_type_are_read_too()
    {
        foreach (var (name, type, expected, load) in new (string, string, int[][], Func<string, Func<string, int[]>>)[]
        {
            ("bert", "WordPiece", Expected.Bert.Tokens, folder => WordPieceTokenizer.Load(folder).Encode),
            ("roberta", "BPE", Expected.Roberta.Tokens, folder => text => Tokenizer.Load(folder).Encode(text)),
        })
        {
            using var checkpoint = new CheckpointCopy(name);
            checkpoint.Change("tokenizer.json", $"\"type\": \"{type}\",", "");
            Equal(expected, load(checkpoint.Folder));
        }
    }

    [Fact]
    public void Half_a_surrogate_pair_is_dropped_as_what_cannot_be_read()
    {
        var tokenizer = WordPieceTokenizer.Load(EncoderReference.Folder("bert"));
        Assert.Equal(tokenizer.Encode("the cat"), tokenizer.Encode("the\ud800 cat\udc00"));
    }

    [Theory]
    [InlineData("model", """{"type":"Unigram"}""", "model.type is 'Unigram'; expected 'WordPiece'")]
    [InlineData("model", "{}", "model.type is ''; expected 'WordPiece'")]
    [InlineData("normalizer", """{"type":"NFC"}""", "normalizer.type is 'NFC'; expected 'BertNormalizer'")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace"}""", "pre_tokenizer.type is 'Metaspace'; expected 'BertPreTokenizer'")]
    [InlineData("normalizer", """{"type":"BertNormalizer","lowercase":3}""", "'lowercase' is of another kind; expected true or false")]
    [InlineData(
        "model", """{"type":"WordPiece","vocab":{"[CLS]":"x"}}""", "entry 1 of the vocabulary is not a new token with a whole number")]
    [InlineData("normalizer", "null", "'normalizer' is missing or of another kind; expected object")]
    public void Another_kind_of_tokenizer_is_refused(string member, string value, string message)
    {
        using var checkpoint = new CheckpointCopy("bert");
        var json = JsonNode.Parse(File.ReadAllText(checkpoint.PathOf("tokenizer.json")))!;
        json[member] = JsonNode.Parse(value);
        File.WriteAllText(checkpoint.PathOf("tokenizer.json"), json.ToJsonString());
        Assert.Contains(
            $"tokenizer.json: {message}", Assert.Throws<InputException>(() => WordPieceTokenizer.Load(checkpoint.Folder)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_vocabulary_without_special_tokens_is_refused()
    {
        using var checkpoint = new CheckpointCopy("contriever");
        checkpoint.Change("vocab.txt", "[SEP]", "[END]");
        Assert.Contains(
            "vocab.txt: the vocabulary has no [SEP]",
            Assert.Throws<InputException>(() => WordPieceTokenizer.Load(checkpoint.Folder)).Message, StringComparison.Ordinal);
    }

    private static void Equal(int[][] expected, Func<string, int[]> encode) =>
        Assert.All(Expected.Texts.Zip(expected), text => Assert.Equal(text.Second, encode(text.First)));
}
