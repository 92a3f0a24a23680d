using System.Text.Json;
using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Network;
using Alt.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

/// <summary>
/// The adapters as PEFT 0.20 reads them: its file names, its keys, and its formula W + B A alpha / r, transposed where fan_in_fan_out says
/// so.
/// </summary>
public sealed class PeftAdapterTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("gpt2", true, "c_attn", "c_proj")]
    [InlineData("gptj", false, "q_proj", "fc_in")]
    [InlineData("gpt-neox", false, "query_key_value", "dense")]
    [InlineData("llama-3", false, "q_proj", "down_proj")]
    [InlineData("qwen2", false, "v_proj", "gate_proj")]
    public void The_base_model_and_what_PEFT_adds_to_it_are_the_checkpoint(string architecture, bool fanInFanOut, params string[] targets)
    {
        using var gradients = no_grad();
        using var before = LanguageModel.Load(DecoderReference.FolderOf(architecture));
        Train(before.Copy(), new LoraConfig { Rank = 2, Alpha = 3, Targets = targets });

        using var config = Config();
        Assert.Equal(fanInFanOut, config.RootElement.GetProperty("fan_in_fan_out").GetBoolean());
        var scale = config.RootElement.GetProperty("lora_alpha").GetDouble() / config.RootElement.GetProperty("r").GetInt32();
        using var adapter = SafetensorsFile.Open(PathOf("adapter", "adapter_model.safetensors"));
        var unread = adapter.Entries.Keys.ToHashSet();
        using var after = LanguageModel.Load(_folder.FullName);
        foreach (var (name, weight) in before.Parameters)
        {
            var expected = weight;
            if (unread.Remove($"base_model.model.{name}"))
            {
                expected = adapter.Read($"base_model.model.{name}");
            }
            else if (unread.Contains($"base_model.model.{name[..^".weight".Length]}.lora_A.weight"))
            {
                var product = Read(name, "lora_B").mm(Read(name, "lora_A")) * scale;
                Assert.True(product.abs().max().ToDouble() > 1e-4);
                expected = weight + (fanInFanOut ? product.t() : product);
            }

            Assert.True(expected.eq(after.Parameters[name]).all().ToBoolean(), name);
        }

        Assert.Empty(unread);

        Tensor Read(string weight, string part)
        {
            var name = $"base_model.model.{weight[..^".weight".Length]}.{part}.weight";
            Assert.True(unread.Remove(name));
            return adapter.Read(name);
        }
    }

    [Fact]
    public void The_config_says_what_PEFT_needs_to_place_the_adapters()
    {
        Train(TinyModel.Create(), new LoraConfig { Rank = 2, Alpha = 4, Targets = ["c_attn"] });
        Assert.Equal(
            """
            {
              "base_model_name_or_path": null,
              "bias": "none",
              "fan_in_fan_out": true,
              "inference_mode": true,
              "init_lora_weights": true,
              "layers_pattern": null,
              "layers_to_transform": null,
              "lora_alpha": 4,
              "lora_dropout": 0,
              "modules_to_save": null,
              "peft_type": "LORA",
              "r": 2,
              "target_modules": [
                "c_attn"
              ],
              "task_type": "CAUSAL_LM",
              "use_dora": false,
              "use_rslora": false
            }

            """,
            File.ReadAllText(PathOf("adapter", "adapter_config.json")));
        using var adapter = SafetensorsFile.Open(PathOf("adapter", "adapter_model.safetensors"));
        Assert.Equal(
            [
                "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight [2, 20]",
                "base_model.model.transformer.h.0.attn.c_attn.lora_B.weight [60, 2]",
                "base_model.model.transformer.h.1.attn.c_attn.lora_A.weight [2, 20]",
                "base_model.model.transformer.h.1.attn.c_attn.lora_B.weight [60, 2]",
                "base_model.model.transformer.wte.weight [30, 20]",
            ],
            adapter.Entries.Select(entry => $"{entry.Key} [{string.Join(", ", entry.Value.Shape)}]").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Frozen_blocks_get_no_adapters_in_PEFT_either()
    {
        Train(TinyModel.Create(), new LoraConfig { Rank = 2, Alpha = 4, Targets = ["c_attn"] }, frozen: 1);

        using var config = Config();
        Assert.Equal("h", config.RootElement.GetProperty("layers_pattern").GetString());
        Assert.Equal([1], config.RootElement.GetProperty("layers_to_transform").EnumerateArray().Select(layer => layer.GetInt32()));
        using var adapter = SafetensorsFile.Open(PathOf("adapter", "adapter_model.safetensors"));
        Assert.Equal(2, adapter.Entries.Keys.Count(name => name.StartsWith("base_model.model.transformer.h.1.", StringComparison.Ordinal)));
        Assert.DoesNotContain(adapter.Entries.Keys, name => name.Contains(".h.0.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_training_of_the_weights_themselves_leaves_no_adapter()
    {
        Train(TinyModel.Create(), null);
        Assert.False(Directory.Exists(PathOf("adapter")));
    }

    // Into the test's own folder.
    private void Train(LanguageModel model, LoraConfig? lora, int frozen = 0)
    {
        using (model)
        using (enable_grad())
        {
            using var trainer = new Trainer(
                model, null, TinyModel.Examples(),
                new TrainerOptions { Steps = 3, BatchSize = 6, LearningRate = 5e-2, Lora = lora, FreezeLayers = frozen });
            trainer.Train();
            trainer.Save(_folder.FullName);
        }
    }

    private JsonDocument Config() => JsonDocument.Parse(File.ReadAllBytes(PathOf("adapter", "adapter_config.json")));

    private string PathOf(params string[] parts) => Path.Combine([_folder.FullName, .. parts]);
}
