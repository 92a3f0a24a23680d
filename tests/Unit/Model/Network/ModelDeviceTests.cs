using Alt.Domain;
using Alt.Model.Encoders;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

/// <summary>
/// Models on other devices than the processor. On libtorch's META, which has shapes and no values, an operator whose tensors are on two
/// devices fails as on a GPU, and so does what reads memory: this shows on any machine where things are held. What a GPU computes is
/// compared where there is one.
/// </summary>
public sealed class ModelDeviceTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public static TheoryData<string> Architectures => [.. DecoderReference.Names];

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Tensors_of_two_devices_do_not_mix() =>
        Assert.ThrowsAny<Exception>(() => ones([2, 3], device: META) + ones([2, 3]));

    [Fact]
    public void Auto_takes_what_is_available_and_cpu_always_is()
    {
        Assert.Equal(cuda.is_available() ? RunDevice.Cuda : RunDevice.Cpu, ModelDevice.Choose(RunDevice.Auto));
        Assert.Equal(RunDevice.Cpu, ModelDevice.Choose(RunDevice.Cpu));
        Assert.Equal(DeviceType.CPU, ModelDevice.Of(RunDevice.Cpu).type);
    }

    [FactWithoutGpu]
    public void A_GPU_that_is_not_there_is_one_line_that_says_what_to_do()
    {
        var run = Assert.Throws<InputException>(() => ModelDevice.Choose(RunDevice.Cuda)).Message;
        Assert.Equal(run, Assert.Throws<InputException>(() => ModelDevice.Of(RunDevice.Cuda)).Message);
        Assert.StartsWith("device: cuda, but libtorch finds no GPU on this machine; expected ", run, StringComparison.Ordinal);
        Assert.Contains("a fork of it may have another", run, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', run);
        Assert.StartsWith(
            "device cuda:1: libtorch finds no GPU", Assert.Throws<InputException>(() => ModelDevice.Of("cuda:1")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_model_and_what_is_made_of_it_are_on_the_device_asked_for(string name)
    {
        using var model = LanguageModel.Load(DecoderReference.FolderOf(name), META);
        using var copy = model.Copy(bfloat16);
        var known = model.Config.Vocabulary;
        using var grown = model.AddTokens(known, known + 2, NewTokens.Normal, seed: 1);
        using var begun = model.AddTokens(known, known + 2, NewTokens.CopyEndOfText, seed: 1);
        Assert.All(new[] { model, copy, grown, begun }, made =>
        {
            Assert.Equal(DeviceType.META, made.Device.type);
            AllOnMeta(made.Parameters.Values);
        });
        var batch = new TokenBatch([([1, 2, 3], [4, 5]), ([6], [7, 8, 9])], model);
        AllOnMeta([batch.Ids, batch.Predictors, batch.Targets]);
    }

    [Theory]
    [InlineData(TrainingPrecision.Float32, false)]
    [InlineData(TrainingPrecision.Bfloat16, false)]
    [InlineData(TrainingPrecision.Float16, false)]
    [InlineData(TrainingPrecision.Float32, true)]
    [InlineData(TrainingPrecision.Float16, true)]
    public void A_training_holds_weights_gradients_and_moments_on_the_models_device(TrainingPrecision precision, bool lora)
    {
        using var model = LanguageModel.Load(DecoderReference.FolderOf("gpt2"), META);
        using var weights = new TrainedWeights(
            model, new TrainerOptions { Precision = precision, Lora = lora ? new LoraConfig { Targets = ["c_attn"] } : null });
        using var adam = new Adam(0.9, 0.99, 1e-8, 0.1);
        using var gradients = no_grad();
        var zeros = weights.Masters.Select(weight => KeyValuePair.Create(weight.Key, zeros_like(weight.Value))).ToArray();
        // The kernel reads memory, which META lacks: code that does not go through operators fails here.
        adam.Update(weights.Masters, zeros, learningRate: 0.01, gradientScale: 0.5);
        weights.Publish();
        AllOnMeta([.. weights.Masters.Values, .. weights.Working.Parameters.Values, .. adam.State.Select(moment => moment.Value)]);
    }

    [Theory]
    [InlineData("bert")]
    [InlineData("roberta")]
    [InlineData("gpt2-reward")]
    public void A_classifier_is_on_the_device_asked_for_and_so_is_what_it_reads(string name)
    {
        using var model = SequenceClassifier.Load(EncoderReference.Folder(name), META);
        Assert.Equal(DeviceType.META, model.Device.type);
        var batch = new SequenceBatch([model.Tokens(null, "the cat", 40), model.Tokens(null, "a cat on a mat", 40)], model.Device);
        AllOnMeta([batch.Ids(), batch.Types(), batch.Tokens(), batch.LastRows()]);
    }

    [FactOnGpu]
    public void A_GPU_gives_the_processors_logits_and_likelihoods_up_to_rounding()
    {
        using var gradients = no_grad();
        foreach (var name in DecoderReference.Names)
        {
            using var reference = new DecoderReference(name);
            using var here = LanguageModel.Load(DecoderReference.FolderOf(name));
            using var there = LanguageModel.Load(DecoderReference.FolderOf(name), CUDA);
            Assert.InRange(reference.Difference(there.Logits(there.Hidden(reference.Ids.to(CUDA))).cpu(), "logits"), 0, 1e-3);
            Assert.All(
                new LikelihoodScorer(here).Score(reference.Rows).Zip(new LikelihoodScorer(there).Score(reference.Rows)),
                pair => Assert.Equal(pair.First.LogProbability, pair.Second.LogProbability, 1e-2));
        }
    }

    [FactOnGpu]
    public void A_GPU_draws_the_processors_generations_where_rounding_decides_nothing()
    {
        using var here = TinyModel.Create();
        using var there = LanguageModel.Create(TinyModel.Config, 1, CUDA);
        var greedy = new SamplingOptions { TopK = 1 };
        Assert.Equal(Drawn(here), Drawn(there));

        IEnumerable<int[]> Drawn(LanguageModel model) =>
            new Sampler(model, greedy, batchSize: 6).Sample(TinyModel.Jobs()).Select(generation => generation.Tokens);
    }

    [FactOnGpu]
    public void A_training_on_a_GPU_follows_the_processors_and_continues_on_either()
    {
        var options = new TrainerOptions { Steps = 6, KlCoefficient = 0.05, EntropyCoefficient = 0.06, WeightDecay = 0.1 };
        var losses = new Dictionary<DeviceType, double[]>();
        foreach (var device in new[] { CPU, CUDA })
        {
            using var model = LanguageModel.Create(TinyModel.Config, 1, device);
            using var reference = LanguageModel.Create(TinyModel.Config, 2, device);
            using var trainer = new Trainer(model, reference, TinyModel.Examples(), options);
            var first = Losses(trainer, 3);
            trainer.Save(_folder.FullName);
            losses[device.type] = [.. first, .. Losses(trainer, 3)];
        }

        Same(losses[DeviceType.CPU], losses[DeviceType.CUDA]);
        // What the GPU has saved.
        foreach (var device in new[] { CPU, CUDA })
        {
            using var model = LanguageModel.Load(_folder.FullName, device);
            using var reference = LanguageModel.Create(TinyModel.Config, 2, device);
            using var resumed = Trainer.Resume(_folder.FullName, model, reference, TinyModel.Examples(), options);
            Same(losses[DeviceType.CUDA][3..], Losses(resumed, 3));
        }

        static double[] Losses(Trainer trainer, int steps) => [.. Enumerable.Range(0, steps).Select(_ => trainer.TakeStep().Loss)];

        static void Same(double[] expected, double[] found) => Assert.All(expected.Zip(found), pair =>
            Assert.Equal(pair.First, pair.Second, 1e-3));
    }

    [FactOnGpu]
    public void A_GPU_gives_the_processors_judgements_up_to_rounding()
    {
        foreach (var name in new[] { "bert", "roberta", "gpt2-reward", "llama-reward", "gptj-reward" })
        {
            using var here = SequenceClassifier.Load(EncoderReference.Folder(name));
            using var there = SequenceClassifier.Load(EncoderReference.Folder(name), CUDA);
            TokenSequence[] sequences = [here.Tokens("the cat", " on a mat", 40), here.Tokens(null, "a cat", 40)];
            var (expected, found) = (Read(here), Read(there));
            Assert.All(expected.Zip(found), pair =>
                Assert.All(pair.First.Zip(pair.Second), values => Assert.Equal(values.First, values.Second, 1e-3f)));

            IReadOnlyList<float[]> Read(SequenceClassifier model) => model.Read(sequences, 2, null, CancellationToken.None);
        }
    }

    private static void AllOnMeta(IEnumerable<Tensor> tensors) => Assert.All(tensors, tensor =>
        Assert.Equal(DeviceType.META, tensor.device_type));
}
