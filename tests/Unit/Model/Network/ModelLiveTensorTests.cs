using Alt.Domain;
using Alt.Model.Decoding;
using Alt.Model.Encoders;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Training;
using TorchSharp;

namespace Alt.Tests.Model;

/// <summary>Counts tensors of the whole process, so nothing may run beside it.</summary>
[Collection(nameof(ModelLiveTensorTests))]
[CollectionDefinition(nameof(ModelLiveTensorTests), DisableParallelization = true)]
public class ModelLiveTensorTests
{
    public ModelLiveTensorTests()
    {
        // Objects that other tests left to the garbage collector must not be finalized while these count.
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [Fact]
    public void Training_steps_leave_no_tensors_behind()
    {
        using var policy = TinyModel.Create();
        using var reference = TinyModel.Create();
        using var trainer = new Trainer(
            policy, reference, TinyModel.Examples(),
            new TrainerOptions { Accumulation = 2, KlCoefficient = 0.05, EntropyCoefficient = 0.06 });
        var counts = Enumerable.Range(0, 51).Select(_ => (trainer.TakeStep(), torch.Tensor.TotalCount).TotalCount).ToArray();
        // Masks for new lengths are kept; there are few lengths.
        Assert.InRange(counts[^1], 0, counts[0] + 2 * TinyModel.Config.Positions);
        Assert.Equal(counts[30], counts[^1]);
    }

    [Fact]
    public void Gradient_checkpointing_holds_less_memory_during_a_step()
    {
        using var model = LanguageModel.Create(TinyModel.Config with { Width = 128, Layers = 8, Positions = 64 }, seed: 1);
        var text = new TokenBlocks([.. Enumerable.Range(0, 513).Select(i => i % 29)], length: 32);
        Assert.InRange(NeededBy(checkpointing: true), 1, NeededBy(checkpointing: false) * 2 / 3);

        long NeededBy(bool checkpointing)
        {
            using var trainer = new Trainer(
                model, null, text, new TrainerOptions { BatchSize = 16, LearningRate = 0, GradientCheckpointing = checkpointing });
            trainer.TakeStep();
            var weights = MemoryPeak.Restart();
            trainer.TakeStep();
            return MemoryPeak.Bytes - weights;
        }
    }

    [Fact]
    public void Sampling_leaves_no_tensors_behind()
    {
        using var model = TinyModel.Create();
        var sampler = new Sampler(model, new SamplingOptions { TopP = 0.9 }, batchSize: 5);
        var counts = Enumerable.Range(0, 51).Select(_ => (sampler.Sample(TinyModel.Jobs()), torch.Tensor.TotalCount).TotalCount).ToArray();
        Assert.Equal(counts[0], counts[^1]);
    }

    [Fact]
    public void A_decoder_that_cannot_be_made_leaves_no_tensors_behind()
    {
        var before = torch.Tensor.TotalCount;
        using (var model = TinyModel.Create())
        {
            // Its threads are the last that it makes.
            Assert.ThrowsAny<Exception>(() => new PackedDecoder(model, slots: 2, positions: 8, threads: 0));
        }

        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Fact]
    public void A_disposed_model_and_its_trainer_leave_no_tensors_behind()
    {
        var before = torch.Tensor.TotalCount;
        using (var model = TinyModel.Create())
        using (var trainer = new Trainer(model, null, TinyModel.Examples(), new TrainerOptions()))
        {
            trainer.TakeStep();
        }

        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Theory]
    [InlineData("bert")]
    [InlineData("roberta")]
    [InlineData("gpt2-reward")]
    public void Classifiers_leave_no_tensors_behind_while_they_read_nor_when_disposed(string name)
    {
        var before = torch.Tensor.TotalCount;
        using (var model = SequenceClassifier.Load(EncoderReference.Folder(name)))
        {
            TokenSequence[] sequences = [model.Tokens("the cat", " on a mat", 40), model.Tokens(null, "a cat", 40)];
            var counts = Enumerable.Range(0, 11)
                .Select(_ => (model.Read(sequences, 1, null, CancellationToken.None), torch.Tensor.TotalCount).TotalCount).ToArray();
            Assert.Equal(counts[0], counts[^1]);
        }

        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Theory]
    [InlineData("bert", "bert.encoder.layer.1.output.dense.bias")]
    [InlineData("roberta", "classifier.out_proj.bias")]
    [InlineData("gpt2-reward", "transformer.ln_f.bias")]
    public void A_classifier_that_is_refused_leaves_no_tensors_behind(string name, string missing)
    {
        using var checkpoint = new CheckpointCopy(name);
        checkpoint.Rename(tensor => tensor == missing ? null : tensor);
        var before = torch.Tensor.TotalCount;
        Assert.Throws<InputException>(() => SequenceClassifier.Load(checkpoint.Folder));
        Assert.Equal(before, torch.Tensor.TotalCount);
    }
}
