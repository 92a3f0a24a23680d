using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Model.Tokenizers;

namespace Alt.Tests.Model;

public sealed class TokenizerFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("alt-tokenizer-").FullName;

    public TokenizerFilesTests() => Tokenizer.Train(["the cat sat on the mat"], 258, []).Save(_folder);

    private string JsonFile => Path.Combine(_folder, "tokenizer.json");

    private string MergesFile => Path.Combine(_folder, "merges.txt");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_folder_without_a_tokenizer_is_named()
    {
        var empty = Path.Combine(_folder, "empty");
        Assert.Equal(
            $"{empty}: there is no tokenizer; expected a folder with tokenizer.json, or with vocab.json and merges.txt", Message(empty));
    }

    [Fact]
    public void Broken_JSON_is_named_with_its_line()
    {
        File.WriteAllText(JsonFile, "{\n  \"model\": {,}\n}");
        Assert.Contains("tokenizer.json:2: not valid JSON;", Message(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model", "{\"type\":\"Unigram\"}", "model.type is 'Unigram'; expected 'BPE'")]
    [InlineData(
        "pre_tokenizer", "{\"type\":\"Metaspace\"}", "pre_tokenizer.type is 'Metaspace'; expected 'ByteLevel', or Sequence of Split")]
    [InlineData("pre_tokenizer", "null", "pre_tokenizer is missing; expected 'ByteLevel'")]
    [InlineData(
        "pre_tokenizer", "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}", "'add_prefix_space' is set; expected it to be absent")]
    [InlineData(
        "pre_tokenizer", "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\"},{\"type\":\"ByteLevel\"}]}",
        "pre_tokenizer.type is 'Sequence' of other parts than those known")]
    [InlineData(
        "pre_tokenizer",
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a+\"},\"behavior\":\"Is"
        + "olated\"},{\"type\":\"ByteLevel\",\"use_regex\":false}]}",
        "splits by another pattern than those known; expected GPT-2's, cl100k's, Llama 3's or Qwen2's")]
    [InlineData("normalizer", "{\"type\":\"Lowercase\"}", "normalizer.type is 'Lowercase'; expected none or NFC")]
    [InlineData("decoder", "{\"type\":\"WordPiece\"}", "decoder.type is 'WordPiece'; expected ByteLevel")]
    [InlineData("post_processor", "{\"type\":\"Other\"}", "post_processor.type is 'Other'; expected ByteLevel, TemplateProcessing")]
    [InlineData("post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[]}", "the template of post_processor leaves the text out")]
    [InlineData("model", "[]", "'model' is missing or of another kind; expected object")]
    public void Another_kind_of_tokenizer_is_refused(string member, string value, string message)
    {
        var json = JsonNode.Parse(File.ReadAllText(JsonFile))!;
        json[member] = JsonNode.Parse(value);
        File.WriteAllText(JsonFile, json.ToJsonString());
        Assert.Contains(message, Message(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", null, "no token for the byte 0x61")]
    [InlineData("a", 5_000, "the id 5000 is used twice or leaves a gap")]
    [InlineData("日本", 258, "token 258 is not written in GPT-2's byte alphabet")]
    public void A_vocabulary_that_is_not_whole_is_refused(string token, int? id, string message)
    {
        var json = JsonNode.Parse(File.ReadAllText(JsonFile))!;
        var vocabulary = json["model"]!["vocab"]!.AsObject();
        vocabulary.Remove(token);
        if (id is not null)
        {
            vocabulary[token] = id;
        }
        else
        {
            // The last token takes the free id, so that nothing but the byte is missing.
            vocabulary[vocabulary.MaxBy(t => t.Value!.GetValue<int>()).Key] = 64;
        }

        File.WriteAllText(JsonFile, json.ToJsonString());
        Assert.Contains(message, Message(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("t h e", "line 2 is not a pair; expected two tokens with one space between them")]
    [InlineData("q q", "merge 1 names a token that is not in the vocabulary")]
    public void A_malformed_merge_is_named_with_its_line(string line, string message)
    {
        File.Delete(JsonFile);
        File.WriteAllText(MergesFile, $"#version: 0.2\n{line}\n");
        Assert.Contains($"merges.txt: {message}", Message(), StringComparison.Ordinal);
    }

    private string Message(string? folder = null) => Assert.Throws<InputException>(() => Tokenizer.Load(folder ?? _folder)).Message;
}
