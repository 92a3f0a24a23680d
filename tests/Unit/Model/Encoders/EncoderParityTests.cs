using Alt.Model.Encoders;

namespace Alt.Tests.Model;

/// <summary>Against transformers' own values, see Golden/encoder_reference.py.</summary>
public sealed class EncoderParityTests
{
    private static readonly EncoderReference.Values Expected = EncoderReference.Expected;

    [Theory]
    [InlineData("bert", 1)]
    [InlineData("bert", 3)]
    [InlineData("bert", 100)]
    [InlineData("roberta", 3)]
    [InlineData("roberta", 100)]
    [InlineData("gpt2-reward", 3)]
    [InlineData("gpt2-reward", 100)]
    [InlineData("llama-reward", 3)]
    [InlineData("gptj-reward", 3)]
    public void Tokens_and_logits_are_the_references_in_batches_of_any_size(string name, int batchSize)
    {
        using var model = SequenceClassifier.Load(EncoderReference.Folder(name));
        AreTheReferences(ValuesOf(name), model, TokensOf(model), batchSize);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public void Embeddings_are_the_references_and_of_long_texts_the_end_counts(int batchSize)
    {
        using var model = TextEmbedder.Load(EncoderReference.Folder("contriever"));
        AreTheReferences(Expected.Contriever, model, [.. Expected.Inputs.Select(i => model.Tokens(i.First, i.Limit))], batchSize);
    }

    [Fact]
    public void Labels_are_the_configs_and_logits_become_probabilities_of_their_kind()
    {
        using var model = SequenceClassifier.Load(EncoderReference.Folder("bert"));
        Assert.Equal(["bad", "middling", "good"], model.Labels.Names);
        var exponents = Expected.Bert.Sequences[0].Values.Select(Math.Exp).ToArray();
        float[] logits = [.. Expected.Bert.Sequences[0].Values.Select(v => (float)v)];
        Assert.Equal(exponents[2] / exponents.Sum(), model.Labels.ValueOf(2, logits), 1e-6);
        Assert.Equal(exponents[2] / (1 + exponents[2]), (model.Labels with { Scale = LabelScale.Sigmoid }).ValueOf(2, logits), 1e-6);
        Assert.Equal(logits[2], (model.Labels with { Scale = LabelScale.Raw }).ValueOf(2, logits));
    }

    [Theory]
    [InlineData("multi_label_classification", LabelScale.Sigmoid)]
    [InlineData("single_label_classification", LabelScale.Softmax)]
    [InlineData("regression", LabelScale.Raw)]
    public void The_configs_problem_type_says_what_kind(string type, LabelScale scale)
    {
        using var checkpoint = new CheckpointCopy("bert");
        checkpoint.Change("config.json", "single_label_classification", type);
        using var model = SequenceClassifier.Load(checkpoint.Folder);
        Assert.Equal(scale, model.Labels.Scale);
    }

    [Fact]
    public void A_value_head_scores_as_the_same_weights_of_a_sequence_classifier()
    {
        using var checkpoint = new CheckpointCopy("gpt2-reward");
        checkpoint.Rename(name => name == "score.weight" ? "v_head.weight" : name);
        // As such a checkpoint's config: that of a language model, which says nothing of labels.
        checkpoint.Change("config.json", "id2label", "once");
        using var model = SequenceClassifier.Load(checkpoint.Folder);
        AreTheReferences(Expected.Gpt2Reward, model, TokensOf(model), 4);
    }

    [Fact]
    public void The_oldest_checkpoints_names_are_read_too()
    {
        using var checkpoint = new CheckpointCopy("bert");
        checkpoint.Rename(name =>
            name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal)
                .Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal));
        using var model = SequenceClassifier.Load(checkpoint.Folder);
        AreTheReferences(Expected.Bert, model, TokensOf(model), 4);
    }

    [Fact]
    public void Equal_sequences_have_equal_rows_and_the_order_of_sequences_changes_no_bit()
    {
        using var model = SequenceClassifier.Load(EncoderReference.Folder("bert"));
        TokenSequence[] sequences = [.. Enumerable.Range(0, 40)
            .Select(i => model.Tokens(null, string.Concat(Enumerable.Repeat("the cat sat on a mat ", 1 + i % 7)) + (i % 10), 40))];
        var rows = model.Read(sequences, 8, null, CancellationToken.None);
        int[] mixed = [.. Enumerable.Range(0, 40).OrderBy(i => i * 17 % 40)];
        var again = model.Read([.. mixed.Select(i => sequences[i])], 8, null, CancellationToken.None);
        Assert.Equal(mixed.Select(i => rows[i]), again);
        Assert.Equal(rows[3], model.Read([.. sequences, sequences[3]], 8, null, CancellationToken.None)[^1]);
    }

    [Fact]
    public void The_hash_is_the_weight_files_and_the_settings_have_their_own()
    {
        using var checkpoint = new CheckpointCopy("contriever");
        using var model = TextEmbedder.Load(checkpoint.Folder);
        Assert.Equal(
            Convert.ToHexStringLower(
                System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(checkpoint.Folder, "model.safetensors")))),
            model.Hash);
        checkpoint.Change("tokenizer_config.json", "true", "false");
        using var cased = TextEmbedder.Load(checkpoint.Folder);
        Assert.Equal(model.Hash, cased.Hash);
        Assert.NotEqual(model.SettingsHash, cased.SettingsHash);
    }

    private static TokenSequence[] TokensOf(SequenceClassifier model) =>
        [.. Expected.Inputs.Select(i =>
            i.Second is null ? model.Tokens(null, i.First, i.Limit) : model.Tokens(i.First, i.Second, i.Limit))];

    private static EncoderReference.Model ValuesOf(string name) => name switch
    {
        "bert" => Expected.Bert,
        "roberta" => Expected.Roberta,
        "gpt2-reward" => Expected.Gpt2Reward,
        "llama-reward" => Expected.LlamaReward,
        _ => Expected.GptjReward,
    };

    private static void AreTheReferences(EncoderReference.Model expected, SequenceModel model, TokenSequence[] sequences, int batchSize)
    {
        Assert.Equal(expected.Sequences.Select(s => s.Ids), sequences.Select(s => s.Ids));
        var rows = model.Read(sequences, batchSize, null, CancellationToken.None);
        Assert.All(expected.Sequences.Zip(rows), pair =>
        {
            Assert.Equal(pair.First.Values.Length, pair.Second.Length);
            Assert.All(pair.First.Values.Zip(pair.Second), value => Assert.Equal(value.First, value.Second, 1e-4));
        });
    }
}
