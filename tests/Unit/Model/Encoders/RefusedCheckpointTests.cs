using Alt.Domain;
using Alt.Model.Encoders;

namespace Alt.Tests.Model;

public sealed class RefusedCheckpointTests
{
    [Theory]
    [InlineData(
        "\"model_type\": \"bert\"", "\"model_type\": \"deberta\"", "config.json: model_type is deberta, expected bert or roberta or gpt2")]
    [InlineData("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"relu\"", "config.json: hidden_act is relu, expected gelu")]
    [InlineData(
        "\"hidden_act\"", "\"position_embedding_type\": \"relative_key\", \"hidden_act\"",
        "config.json: position_embedding_type is relative_key, expected absolute")]
    [InlineData("\"is_decoder\": false", "\"is_decoder\": true", "config.json: is_decoder is true, expected false")]
    [InlineData(
        "\"problem_type\": \"single", "\"problem_type\": \"odd",
        "config.json: problem_type is odd_label_classification, expected single_label_classification or")]
    [InlineData(
        "\"num_attention_heads\": 3", "\"num_attention_heads\": 5",
        "config.json: hidden_size 12 is not a multiple of num_attention_heads 5")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 0", "config.json: num_hidden_layers is 0, expected 1 or more")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": \"two\"", "config.json is not a valid config:")]
    [InlineData(
        "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3",
        "model.safetensors has no tensor bert.encoder.layer.2.attention.self.query.weight")]
    [InlineData(
        "\"intermediate_size\": 20", "\"intermediate_size\": 24",
        "bert.encoder.layer.0.intermediate.dense.weight has shape [20, 12], expected [24, 12] by config.json")]
    [InlineData(
        "\"2\": \"good\"", "\"2\": \"good\", \"3\": \"best\"", "classifier.weight has shape [3, 12], expected [4, 12] by config.json")]
    [InlineData(
        "\"vocab_size\": 237", "\"vocab_size\": 200",
        "the tokenizer has 237 tokens, the model 200; expected the tokenizer that the model was trained with")]
    public void A_config_that_does_not_fit_is_refused(string old, string @new, string message)
    {
        using var checkpoint = new CheckpointCopy("bert");
        checkpoint.Change("config.json", old, @new);
        Refused(checkpoint, message);
    }

    [Theory]
    [InlineData("config.json", "config.json does not exist, expected the config of a classifier's or reward model's checkpoint")]
    [InlineData("model.safetensors", "model.safetensors does not exist, expected a safetensors file")]
    [InlineData("tokenizer.json", "there is no tokenizer; expected a folder with tokenizer.json or vocab.txt")]
    public void A_missing_file_is_named(string file, string message)
    {
        using var checkpoint = new CheckpointCopy("bert");
        File.Delete(checkpoint.PathOf(file));
        Refused(checkpoint, message);
    }

    [Fact]
    public void A_file_that_is_cut_off_is_refused()
    {
        using var checkpoint = new CheckpointCopy("bert");
        File.WriteAllBytes(checkpoint.Weights, File.ReadAllBytes(checkpoint.Weights)[..20_000]);
        Refused(checkpoint, "model.safetensors is not a safetensors file:");
    }

    [Theory]
    [InlineData("bert", "classifier.weight", "no tensor classifier.weight")]
    [InlineData("roberta", "classifier.out_proj.bias", "no tensor classifier.out_proj.bias")]
    [InlineData("gpt2-reward", "score.weight", "no tensor score.weight")]
    public void A_checkpoint_without_its_head_is_refused(string name, string tensor, string message)
    {
        using var checkpoint = new CheckpointCopy(name);
        checkpoint.Rename(key => key == tensor ? null : key);
        Refused(checkpoint, message);
    }

    [Fact]
    public void Another_models_tokenizer_is_refused()
    {
        using var checkpoint = new CheckpointCopy("roberta");
        File.Copy(EncoderReference.Folder("gpt2-reward/tokenizer.json"), checkpoint.PathOf("tokenizer.json"), overwrite: true);
        Refused(checkpoint, "the tokenizer has no <s>; expected the one of a RoBERTa model");
    }

    [Fact]
    public void An_embedder_is_an_encoder()
    {
        var message = Assert.Throws<InputException>(() => TextEmbedder.Load(EncoderReference.Folder("gpt2-reward"))).Message;
        Assert.Contains("config.json: model_type is gpt2, expected bert or roberta", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        null, "label is missing; expected which of the classifier's labels is the reward: bad, middling, good, or a number from 0 to 2")]
    [InlineData("best", "there is no label 'best'; expected which of the classifier's labels")]
    [InlineData("3", "there is no label '3'; expected which of the classifier's labels")]
    public void A_label_that_the_classifier_lacks_is_refused(string? label, string message)
    {
        var labels = new ClassLabels(["bad", "middling", "good"], LabelScale.Softmax);
        Assert.Contains(message, Assert.Throws<InputException>(() => labels.IndexOf(label, "folder")).Message, StringComparison.Ordinal);
        Assert.Equal((1, 2), (labels.IndexOf("middling", "folder"), labels.IndexOf("2", "folder")));
    }

    private static void Refused(CheckpointCopy checkpoint, string message)
    {
        var error = Assert.Throws<InputException>(() => SequenceClassifier.Load(checkpoint.Folder)).Message;
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
    }
}
