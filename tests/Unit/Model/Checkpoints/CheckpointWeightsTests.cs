using System.Security.Cryptography;
using Alt.Activities;
using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Encoders;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

public sealed class CheckpointWeightsTests : IDisposable
{
    private const string Word = "embeddings.word_embeddings.weight";

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly CheckpointCopy _checkpoint = new("contriever");

    public void Dispose()
    {
        _scope.Dispose();
        _checkpoint.Dispose();
    }

    [Fact]
    public void Shards_read_as_the_one_file_does()
    {
        Dictionary<string, Tensor> expected;
        using (var file = SafetensorsFile.Open(_checkpoint.Weights))
        {
            expected = file.Entries.Keys.ToDictionary(name => name, file.Read);
        }

        _checkpoint.Shard();
        using var weights = new CheckpointWeights(_checkpoint.Folder, "bert.");
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), weights.Names.Order(StringComparer.Ordinal));
        Assert.All(expected, tensor => Assert.True(weights.Read(tensor.Key, null, tensor.Value.shape).eq(tensor.Value).all().ToBoolean()));
        Assert.True(weights.Has("bert." + Word));
        Assert.False(weights.Has("lm_head.weight"));
        Assert.Equal([.. expected[Word].shape], weights.Find(Word).Shape);
    }

    [Theory]
    [InlineData(null, ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32, ScalarType.Float32)]
    [InlineData(ScalarType.Float16, ScalarType.Float16)]
    public void A_tensor_is_read_as_it_is_stored_or_in_the_type_that_is_asked_for(ScalarType? asked, ScalarType expected)
    {
        SafetensorsWriter.Write(_checkpoint.Weights, [new("x", tensor([1f, -2.5f, 0.125f]).to(bfloat16))]);
        using var weights = new CheckpointWeights(_checkpoint.Folder, "");
        var read = weights.Read("x", asked, 3);
        Assert.Equal(expected, read.dtype);
        Assert.Equal([1, -2.5f, 0.125f], read.to(float32).data<float>().ToArray());
        Assert.Equal(ScalarType.BFloat16, weights.Find("x").Type);
    }

    [Fact]
    public void A_model_reads_shards_and_its_hash_is_that_of_index_and_shards_and_the_runs()
    {
        using var whole = TextEmbedder.Load(_checkpoint.Folder);
        Assert.Equal(Hash(_checkpoint.Weights), whole.Hash);
        var index = _checkpoint.Shard();
        using var sharded = TextEmbedder.Load(_checkpoint.Folder);
        Assert.Equal(
            Hash(index, _checkpoint.PathOf("model-00001-of-00002.safetensors"), _checkpoint.PathOf("model-00002-of-00002.safetensors")),
            sharded.Hash);

        var tokens = whole.Tokens("the cat sat on the mat", 40);
        Assert.Equal(whole.Read([tokens], 1, null, CancellationToken.None), sharded.Read([tokens], 1, null, CancellationToken.None));
    }

    [Theory]
    [InlineData("", "is not an index of weights")]
    [InlineData("[]", "it has no weight_map")]
    [InlineData("""{"metadata":{}}""", "it has no weight_map")]
    [InlineData("""{"weight_map":{"x":1}}""", "weight_map has a value of kind Number, expected a file's name")]
    [InlineData(
        """{"weight_map":{"x":"../model.safetensors"}}""", "weight_map names a file that is not in its own folder: '../model.safetensors'")]
    [InlineData("""{"weight_map":{"x":"/etc/passwd"}}""", "weight_map names a file that is not in its own folder")]
    [InlineData("""{"weight_map":{"x":"sub/a.safetensors"}}""", "weight_map names a file that is not in its own folder")]
    [InlineData("""{"weight_map":{"x":"..\\a"}}""", "weight_map names a file that is not in its own folder")]
    [InlineData("""{"weight_map":{"x":"a\nb"}}""", "weight_map names a file that is not in its own folder")]
    [InlineData("""{"weight_map":{"x":".."}}""", "weight_map names a file that is not in its own folder")]
    [InlineData(
        """{"weight_map":{"x":"none.safetensors"}}""",
        "none.safetensors does not exist, but model.safetensors.index.json names it; expected every shard beside the index")]
    [InlineData(
        """{"weight_map":{"x":"model-00001-of-00002.safetensors"}}""",
        "has no tensor x, but model.safetensors.index.json lists it there; expected index and shards of one checkpoint")]
    [InlineData(
        """{"weight_map":{"x":"model-00001-of-00002.safetensors","x":"model-00002-of-00002.safetensors"}}""",
        "is not an index of weights: Duplicate property 'x'")]
    [InlineData("""{"weight_map":{"x":"config.json"}}""", "config.json is not a safetensors file")]
    [InlineData("""{"weight_map":{}}""", "has no tensor bert.embeddings.word_embeddings.weight")]
    public void An_index_that_does_not_fit_is_refused_in_one_line(string json, string message)
    {
        File.WriteAllText(_checkpoint.Shard(), json);
        var error = Assert.Throws<InputException>(() => TextEmbedder.Load(_checkpoint.Folder)).Message;
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.StartsWith(_checkpoint.Folder, error, StringComparison.Ordinal);
        Assert.DoesNotContain(error, char.IsControl);
    }

    [Fact]
    public async Task A_run_records_one_hash_of_all_shards_and_refuses_a_changed_one_and_another_layout()
    {
        var index = _checkpoint.Shard();
        var config = new RunConfig { Feedback = new() { Judge = new JudgeConfig.R3 { Encoder = _checkpoint.Folder } } };
        var inputs = await RunInputs.HashFilesAsync(config, CancellationToken.None);
        using (var model = TextEmbedder.Load(_checkpoint.Folder))
        {
            Assert.Equal(model.Hash, inputs[index]);
        }

        var started = RunState.Fold([new RunEvent.RunStarted("run", config, "", inputs, DateTimeOffset.UnixEpoch)]);
        await RunInputs.RequireUnchangedAsync(started, CancellationToken.None);

        await File.WriteAllTextAsync(_checkpoint.Weights, "another layout, which would be read first");
        Assert.Contains($"'{index}' has changed", await RefusedAsync(), StringComparison.Ordinal);
        File.Delete(_checkpoint.Weights);
        await File.AppendAllTextAsync(_checkpoint.PathOf("model-00002-of-00002.safetensors"), "x");
        Assert.Contains($"'{index}' has changed", await RefusedAsync(), StringComparison.Ordinal);
        File.Delete(_checkpoint.PathOf("model-00002-of-00002.safetensors"));
        Assert.Contains("model-00002-of-00002.safetensors does not exist", await RefusedAsync(), StringComparison.Ordinal);
        File.Delete(index);
        Assert.Contains($"'{index}' is missing", await RefusedAsync(), StringComparison.Ordinal);

        async Task<string> RefusedAsync() =>
            (await Assert.ThrowsAsync<InputException>(() => RunInputs.RequireUnchangedAsync(started, CancellationToken.None))).Message;
    }

    [Fact]
    public void A_folder_without_weights_is_told_what_it_may_have()
    {
        File.Delete(_checkpoint.Weights);
        var error = Assert.Throws<InputException>(() => TextEmbedder.Load(_checkpoint.Folder)).Message;
        Assert.Equal(
            $"{_checkpoint.Weights} does not exist, expected a safetensors file; in its place may stand model.safetensors.index.json or "
                + "pytorch_model.bin or pytorch_model.bin.index.json",
            error);
    }

    private static string Hash(params string[] files) =>
        Convert.ToHexStringLower(SHA256.HashData([.. files.SelectMany(File.ReadAllBytes)]));
}
