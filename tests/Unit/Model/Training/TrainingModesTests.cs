using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Network;
using Alt.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

/// <summary>
/// Half precision, adapters, frozen layers, gradient checkpointing, loss scaling: what each changes, and what it must not.
/// </summary>
public sealed class TrainingModesTests : IDisposable
{
    private static readonly TrainerOptions Options = new()
    {
        Seed = 5,
        Iteration = 2,
        Steps = 6,
        BatchSize = 6,
        LearningRate = 5e-3,
        WarmupShare = 0.2,
        WeightDecay = 0.1,
        KlCoefficient = 0.05,
        EntropyCoefficient = 0.06,
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly DisposeScope _scope = NewDisposeScope();

    public static TheoryData<string> Architectures => [.. DecoderReference.Names];

    private string Checkpoint => Path.Combine(_folder.FullName, "checkpoint");

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("bfloat16")]
    [InlineData("lora")]
    [InlineData("lora in bfloat16")]
    [InlineData("frozen")]
    [InlineData("gradient checkpointing")]
    [InlineData("scaled")]
    public void A_training_that_is_resumed_in_any_mode_ends_with_the_same_bits(string mode)
    {
        var options = InMode(mode);
        using var reference = TinyModel.Create();
        using var policy = TinyModel.Create();
        using (var undisturbed = new Trainer(policy, reference, TinyModel.Examples(), options))
        {
            undisturbed.Train();
        }

        using (var model = TinyModel.Create())
        using (var killed = new Trainer(model, reference, TinyModel.Examples(), options))
        {
            killed.TakeStep();
            killed.TakeStep();
            killed.Save(Checkpoint);
        }

        using var resumedModel = LanguageModel.Load(Checkpoint);
        using var resumed = Trainer.Resume(Checkpoint, resumedModel, reference, TinyModel.Examples(), options);
        Assert.Equal(2, resumed.Step);
        resumed.Train();
        Assert.Equal(policy.WeightsHash(), resumedModel.WeightsHash());
        using var untrained = TinyModel.Create();
        Assert.NotEqual(untrained.WeightsHash(), policy.WeightsHash());
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Gradient_checkpointing_changes_no_bit(string architecture)
    {
        Assert.Equal(Trained(architecture, Options), Trained(architecture, Options with { GradientCheckpointing = true }));
        Assert.Equal(
            Trained(architecture, Options with { FreezeLayers = 1 }),
            Trained(architecture, Options with { FreezeLayers = 1, GradientCheckpointing = true }));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Frozen_layers_and_embeddings_keep_their_bits_and_the_others_do_not(string architecture)
    {
        using var before = LanguageModel.Load(DecoderReference.FolderOf(architecture));
        using var after = before.Copy();
        Train(after, Options with { FreezeLayers = 1 });
        string[] embeddings = [DecoderWeights.TokenEmbedding(before.Config), DecoderWeights.PositionEmbedding(before.Config) ?? ""];
        Assert.All(before.Parameters, weight =>
        {
            var frozen = embeddings.Contains(weight.Key)
                || weight.Key.StartsWith(DecoderWeights.Block(before.Config, 0), StringComparison.Ordinal);
            Assert.Equal(frozen, weight.Value.bytes.SequenceEqual(after.Parameters[weight.Key].bytes));
        });
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Adapters_compute_what_the_weights_with_their_products_do(string architecture)
    {
        using var model = LanguageModel.Load(DecoderReference.FolderOf(architecture));
        using var before = model.Copy();
        var layers = model.LinearNames.ToArray();
        var targets = layers.Select(LastPart).Distinct().ToArray();
        using var trainer = new Trainer(
            model, null, TinyModel.Examples(),
            Options with { KlCoefficient = 0, LearningRate = 5e-2, Lora = new LoraConfig { Rank = 2, Alpha = 4, Targets = targets } });
        trainer.Train();
        trainer.Save(Checkpoint);

        using var gradients = no_grad();
        using var merged = LanguageModel.Load(Checkpoint);
        var ids = arange(10).to(int64).view(2, 5);
        var (adapted, dense, first) = (
            model.Logits(model.Hidden(ids)), merged.Logits(merged.Hidden(ids)), before.Logits(before.Hidden(ids)));
        Assert.InRange((adapted - dense).abs().max().ToDouble(), 0, 1e-4);
        Assert.True((adapted - first).abs().max().ToDouble() > 1e-2);
        Assert.All(before.Parameters, weight => Assert.Equal(
            !layers.Contains(weight.Key.Replace(".weight", "", StringComparison.Ordinal)),
            weight.Value.bytes.SequenceEqual(merged.Parameters[weight.Key].bytes)));
        Assert.Equal(merged.WeightsHash(), model.WeightsHash());
    }

    [Fact]
    public void An_adapters_gradients_are_the_dense_weights_through_its_product()
    {
        using var dense = TinyModel.Create();
        var plain = Options with { KlCoefficient = 0, LearningRate = 0, ClipNorm = 0 };
        using var denseTrainer = new Trainer(dense, null, TinyModel.Examples(), plain);
        denseTrainer.TakeStep();

        using var adapted = TinyModel.Create();
        using var trainer = new Trainer(
            adapted, null, TinyModel.Examples(), plain with { Lora = new LoraConfig { Rank = 3, Alpha = 6, Targets = ["c_fc"] } });
        trainer.TakeStep();
        Assert.Equal(["transformer.h.0.mlp.c_fc", "transformer.h.1.mlp.c_fc"], adapted.Adapters.Select(adapter => adapter.Key));
        Assert.All(adapted.Adapters, adapter =>
        {
            // y = x (W + A^T B^T s): the gradient of B is s G^T A^T with G that of W (in, out), and that of A is 0 while B is.
            var expected = dense.Parameters[adapter.Key + ".weight"].grad!.t().mm(adapter.Value.A.detach().t()) * 2;
            Assert.InRange((adapter.Value.B.grad! - expected).abs().max().ToDouble(), 0, 1e-6);
            Assert.Equal(0, adapter.Value.A.grad!.abs().max().ToDouble());
            Assert.True(expected.abs().max().ToDouble() > 1e-4);
        });
    }

    [Fact]
    public void Adapters_continue_in_the_next_iteration_with_the_optimisers_state()
    {
        var options = InMode("lora");
        using var reference = TinyModel.Create();
        using (var model = TinyModel.Create())
        using (var trainer = new Trainer(model, reference, TinyModel.Examples(), options))
        {
            trainer.Train();
            trainer.Save(Checkpoint);
        }

        using var next = LanguageModel.Load(Checkpoint);
        var before = next.WeightsHash();
        using var continued = new Trainer(next, reference, TinyModel.Examples(), options with { Iteration = 3 });
        continued.RestoreOptimiser(Checkpoint);
        Assert.Equal(before, next.WeightsHash());
        Assert.All(next.Adapters, adapter => Assert.True(adapter.Value.B.abs().max().ToDouble() > 0));
    }

    [Fact]
    public void Training_in_bfloat16_learns_and_keeps_its_weights_in_single_precision()
    {
        var losses = new List<double>();
        using var model = TinyModel.Create();
        using (var trainer = new Trainer(
            model, null, TinyModel.Examples(),
            Options with { Steps = 60, KlCoefficient = 0, EntropyCoefficient = 0, Precision = TrainingPrecision.Bfloat16 }))
        {
            losses.AddRange(trainer.Train().Select(step => step.Loss));
            trainer.Save(Checkpoint);
        }

        Assert.True(losses[^1] < losses[0] / 3, $"from {losses[0]} to {losses[^1]}");
        using var weights = SafetensorsFile.Open(Path.Combine(Checkpoint, WeightFiles.SafetensorsName));
        Assert.All(weights.Entries.Keys, name => Assert.Equal(float32, weights.Read(name).dtype));

        // Digits that a bfloat16 cannot hold are not lost.
        var matrix = model.Parameters["transformer.wte.weight"];
        Assert.False(matrix.bytes.SequenceEqual(matrix.to(bfloat16).to(float32).bytes));
    }

    [Fact]
    public void An_overflow_of_the_scaled_loss_skips_the_step_and_halves_the_scale_until_it_fits()
    {
        // The squares of gradients near 2^70 are more than a float holds.
        using var model = TinyModel.Create();
        var before = model.WeightsHash();
        using var trainer = new Trainer(
            model, null, TinyModel.Examples(),
            Options with { KlCoefficient = 0, Steps = 40, LossScale = Math.Pow(2, 70), LossScaleGrowthSteps = 1000 });
        var first = trainer.TakeStep();
        Assert.True(first.Skipped);
        Assert.Equal(before, model.WeightsHash());
        trainer.Save(Checkpoint);
        Assert.Contains("\"value\": 5.902958103587057E+20", File.ReadAllText(Path.Combine(Checkpoint, "trainer.json")));
        var others = Enumerable.Range(0, 39).Select(_ => trainer.TakeStep()).ToArray();
        Assert.False(others[^1].Skipped);
        Assert.True(others[^1].GradientNorm > 0);
        Assert.NotEqual(before, model.WeightsHash());
    }

    [Fact]
    public void A_loss_scale_that_fits_changes_no_bit()
    {
        Assert.Equal(Trained("gpt2", Options), Trained("gpt2", Options with { LossScale = 1024 }));
    }

    [Fact]
    public void The_scale_doubles_after_enough_steps_without_an_overflow()
    {
        var scale = new LossScale(8, 0, GrowthSteps: 3);
        scale = scale.AfterStep().AfterStep();
        Assert.Equal(new LossScale(8, 2, 3), scale);
        Assert.Equal(new LossScale(16, 0, 3), scale.AfterStep());
        Assert.Equal(new LossScale(4, 0, 3), scale.AfterOverflow());
        Assert.Equal(LossScale.Off, LossScale.Off.AfterStep());
    }

    [Fact]
    public void What_does_not_fit_the_model_is_refused_by_name()
    {
        using var model = TinyModel.Create();
        Assert.Equal(
            "training.lora.targets holds q_proj, expected names of the model's layers: c_attn, c_fc, c_proj",
            Refused(Options with { Lora = new LoraConfig { Targets = ["c_attn", "q_proj"] } }));
        Assert.Equal("training.freezeLayers is 3, expected at most the model's 2 layers", Refused(Options with { FreezeLayers = 3 }));
        Assert.Contains("expected float32 or bfloat16", Refused(Options with { Precision = TrainingPrecision.Float16 }));

        string Refused(TrainerOptions options) => Assert.Throws<InputException>(() =>
            new Trainer(model, model, TinyModel.Examples(), options)).Message;
    }

    private static TrainerOptions InMode(string mode)
    {
        var lora = new LoraConfig { Rank = 2, Alpha = 4, Targets = ["c_attn", "c_proj"] };
        return mode switch
        {
            "bfloat16" => Options with { Precision = TrainingPrecision.Bfloat16 },
            "lora" => Options with { Lora = lora },
            "lora in bfloat16" => Options with { Lora = lora, Precision = TrainingPrecision.Bfloat16, GradientCheckpointing = true },
            "frozen" => Options with { FreezeLayers = 1 },
            "gradient checkpointing" => Options with { GradientCheckpointing = true },
            _ => Options with { Steps = 14, LossScale = Math.Pow(2, 64), LossScaleGrowthSteps = 2 },
        };
    }

    private static string Trained(string architecture, TrainerOptions options)
    {
        using var model = LanguageModel.Load(DecoderReference.FolderOf(architecture));
        Train(model, options);
        return model.WeightsHash();
    }

    private static void Train(LanguageModel model, TrainerOptions options)
    {
        using var trainer = new Trainer(model, null, TinyModel.Examples(), options with { KlCoefficient = 0, Steps = 3 });
        trainer.Train();
    }

    private static string LastPart(string layer) => layer[(layer.LastIndexOf('.') + 1)..];
}
