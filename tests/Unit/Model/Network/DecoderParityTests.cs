using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

/// <summary>Every architecture against transformers.</summary>
public sealed class DecoderParityTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public static TheoryData<string> Architectures => [.. DecoderReference.Names];

    public void Dispose() => _scope.Dispose();

    [Theory]
    [MemberData(nameof(Architectures))]
    [InlineData("llama-3/older", "llama-3")]
    [InlineData("gptj/older", "gptj")]
    public void Logits_and_hidden_states_are_within_a_ten_thousandth(string folder, string? name = null)
    {
        using var gradients = no_grad();
        using var reference = new DecoderReference(name ?? folder);
        using var model = LanguageModel.Load(DecoderReference.FolderOf(folder));
        var states = new List<Tensor>();
        var last = model.Hidden(reference.Ids, x => states.Add(x.clone()));
        states.Add(last);
        Assert.Equal(model.Config.Layers + 1, states.Count);
        Assert.All(states.Index(), state => Assert.InRange(reference.Difference(state.Item, $"hidden.{state.Index}"), 0, 1e-4));
        Assert.InRange(reference.Difference(model.Logits(last), "logits"), 0, 1e-4);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Logits_in_bfloat16_are_within_a_fiftieth_of_the_largest(string name)
    {
        using var gradients = no_grad();
        using var reference = new DecoderReference(name);
        using var model = LanguageModel.Load(DecoderReference.FolderOf(name), type: bfloat16);
        var difference = reference.Difference(model.Logits(model.Hidden(reference.Ids)), "logits");
        Assert.InRange(difference / reference.Values.LargestLogit, 0, 2e-2);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Loss_and_gradients_are_within_a_thousandth(string name)
    {
        using var reference = new DecoderReference(name);
        using var model = LanguageModel.Load(DecoderReference.FolderOf(name));
        using var trainer = new Trainer(
            model, null, [.. reference.Rows.Select(row => new TrainingExample([], row.Prompt, row.Response))],
            new TrainerOptions { Steps = 1, BatchSize = reference.Rows.Count, LearningRate = 0, ClipNorm = 0 });
        var step = trainer.TakeStep();
        Assert.Equal(reference.Values.Nll, step.Nll * step.ResponseTokens, reference.Values.Nll * 1e-5);
        Assert.All(model.Parameters, weight =>
        {
            var expected = reference["grad." + weight.Key].to(float64) / step.ResponseTokens;
            var difference = (weight.Value.grad!.to(float64) - expected).abs().max().ToDouble();
            Assert.InRange(difference / expected.abs().max().ToDouble(), 0, 1e-3);
        });
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_cache_continues_as_transformers_does(string name)
    {
        using var reference = new DecoderReference(name);
        using var model = LanguageModel.Load(DecoderReference.FolderOf(name));
        var sampler = new Sampler(
            model, new SamplingOptions { TopK = 1, MaxNewTokens = reference.Values.Sequences[0].Greedy.Length }, batchSize: 2);
        var generations = sampler.Sample(
            [.. reference.Values.Sequences.Select((s, i) => new SamplingJob(s.Prompt, new RandomKey(1, 1, Stage.Sampling, i)))]);
        Assert.Equal(reference.Values.Sequences.Select(s => UntilEnd(s.Greedy, model.Config.EndOfText)), generations.Select(g => g.Tokens));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_saved_checkpoint_has_the_names_and_the_config_of_the_given_one(string name)
    {
        var given = DecoderReference.FolderOf(name);
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            using var model = LanguageModel.Load(given);
            model.Save(folder);
            using var saved = LanguageModel.Load(folder);
            using var before = SafetensorsFile.Open(Path.Combine(given, WeightFiles.SafetensorsName));
            using var after = SafetensorsFile.Open(Path.Combine(folder, WeightFiles.SafetensorsName));
            Assert.Equal(before.Entries.Keys.Order(StringComparer.Ordinal), after.Entries.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(model.WeightsHash(), saved.WeightsHash());
            Assert.Equal(Shape(model.Config), Shape(saved.Config));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_new_model_saves_a_config_that_says_the_same(string name)
    {
        var given = DecoderConfig.Load(DecoderReference.FolderOf(name)) with { Source = null };
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            given.Save(folder);
            Assert.Equal(Shape(given), Shape(DecoderConfig.Load(folder)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int[] UntilEnd(int[] tokens, int end) => tokens.Contains(end) ? tokens[..(Array.IndexOf(tokens, end) + 1)] : tokens;

    // With what may be left out filled in, and without what no value is compared of.
    private static DecoderConfig Shape(DecoderConfig config) =>
        config with { HeadWidth = config.D, KeyValueHeads = config.G, Inner = config.InnerWidth, Source = null, OtherEnds = [] };
}
