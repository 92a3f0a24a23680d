using System.Text.Json;
using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Network;
using Alt.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

/// <summary>Checkpoints in several files, by the names and with the index that transformers gives them.</summary>
public sealed class WeightShardsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("gpt2", 10_000)]
    [InlineData("llama-3", 20_000)]
    [InlineData("gptj", 1)]
    public void Shards_hold_the_weights_once_each_and_no_more_than_fits(string architecture, long largest)
    {
        using var model = LanguageModel.Load(DecoderReference.FolderOf(architecture));
        model.Save(_folder, largest);

        using var index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder, "model.safetensors.index.json")));
        var map = index.RootElement.GetProperty("weight_map").EnumerateObject()
            .ToDictionary(tensor => tensor.Name, tensor => tensor.Value.GetString()!);
        Assert.Equal(model.Parameters.Keys.Order(StringComparer.Ordinal), map.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(model.Parameters.Values.Sum(Bytes), index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64());
        var names = map.Values.Distinct().Order(StringComparer.Ordinal).ToArray();
        Assert.True(names.Length > 2);
        Assert.Equal([.. Enumerable.Range(1, names.Length).Select(i => $"model-{i:D5}-of-{names.Length:D5}.safetensors")], names);
        Assert.Equal(names, Directory.EnumerateFiles(_folder, "*.safetensors").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var name in names)
        {
            using var shard = SafetensorsFile.Open(Path.Combine(_folder, name));
            Assert.Equal(
                map.Where(tensor => tensor.Value == name).Select(tensor => tensor.Key).Order(StringComparer.Ordinal),
                shard.Entries.Keys.Order(StringComparer.Ordinal));
            Assert.True(shard.Entries.Count == 1 || shard.Entries.Keys.Sum(tensor => Bytes(model.Parameters[tensor])) <= largest);
        }

        using var read = LanguageModel.Load(_folder);
        Assert.Equal(model.WeightsHash(), read.WeightsHash());
    }

    [Fact]
    public void A_block_lies_in_as_few_files_as_possible()
    {
        using var model = LanguageModel.Create(TinyModel.Config with { Layers = 11 }, seed: 1);
        var block = model.Parameters.Where(weight => weight.Key.Contains(".h.0.", StringComparison.Ordinal))
            .Sum(weight => Bytes(weight.Value));
        model.Save(_folder, block);
        var files = WeightFiles.In(_folder).Shards!;
        var byLayer = Enumerable.Range(0, 11)
            .Select(layer => files.Where(file => file.Key.Contains($".h.{layer}.", StringComparison.Ordinal))
                .Select(file => file.Value).Distinct().Order(StringComparer.Ordinal).ToArray()).ToArray();
        Assert.All(byLayer, names => Assert.InRange(names.Length, 1, 2));
        // Layer 10 comes after layer 9, not after layer 1.
        Assert.All(byLayer.Zip(byLayer.Skip(1)), pair => Assert.True(string.CompareOrdinal(pair.First[^1], pair.Second[0]) <= 0));
    }

    [Fact]
    public void Shards_take_the_place_of_one_file_and_one_file_that_of_shards()
    {
        using var first = TinyModel.Create(seed: 1);
        using var second = TinyModel.Create(seed: 2);
        first.Save(_folder);
        second.Save(_folder, largestFile: 5_000);
        using var sharded = LanguageModel.Load(_folder);
        Assert.Equal(second.WeightsHash(), sharded.WeightsHash());

        first.Save(_folder);
        using var whole = LanguageModel.Load(_folder);
        Assert.Equal(first.WeightsHash(), whole.WeightsHash());
    }

    [Fact]
    public void A_training_continues_from_shards()
    {
        var options = new TrainerOptions
        {
            Steps = 4,
            BatchSize = 6,
            Lora = new LoraConfig { Rank = 2, Targets = ["c_attn", "c_fc", "c_proj"] }
        };
        string expected;
        using (var undisturbed = TinyModel.Create())
        using (var trainer = new Trainer(undisturbed, null, TinyModel.Examples(), options))
        {
            trainer.Train();
            expected = undisturbed.WeightsHash();
        }

        using (var policy = TinyModel.Create())
        using (var trainer = new Trainer(policy, null, TinyModel.Examples(), options))
        {
            trainer.TakeStep();
            trainer.Save(_folder, largestFile: 5_000);
        }

        using var resumed = LanguageModel.Load(_folder);
        using var rest = Trainer.Resume(_folder, resumed, null, TinyModel.Examples(), options);
        rest.Train();
        Assert.Equal(expected, resumed.WeightsHash());
    }

    [Fact]
    public void What_is_made_to_be_written_is_there_one_tensor_at_a_time()
    {
        var made = new List<Tensor>();
        WeightShards.Write(
            _folder, Enumerable.Range(0, 5).Select(i => new TensorSource($"t{i}", float32, [10], () => Make(i))), largest: 80);

        Assert.Equal(5, made.Count);
        using var weights = new CheckpointWeights(_folder, "");
        Assert.All(Enumerable.Range(0, 5), i => Assert.Equal(i, weights.Read($"t{i}", 10).max().ToSingle()));

        Tensor Make(int i)
        {
            Assert.All(made, earlier => Assert.True(earlier.IsInvalid));
            made.Add(full([10], (float)i));
            return made[^1];
        }
    }

    [Fact]
    public void A_file_holds_five_gigabytes_unless_the_config_says_otherwise()
    {
        Assert.Equal(5_000_000_000, new TrainingConfig().LargestFile);
        Assert.Equal(500_000_000, new TrainingConfig { ShardGigabytes = 0.5 }.LargestFile);
        Assert.Contains(new RunConfig { Training = new() { ShardGigabytes = -1 } }.Problems(), problem =>
            problem.StartsWith("training.shardGigabytes is -1", StringComparison.Ordinal));
    }

    private static long Bytes(Tensor tensor) => tensor.NumberOfElements * tensor.ElementSize;
}
