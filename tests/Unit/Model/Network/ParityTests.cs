using System.Text.Json;
using Alt.Model.Checkpoints;
using Alt.Model.Network;
using Alt.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

/// <summary>Against the values of Golden/gpt2_reference.py, a hand-written forward and backward pass in double precision.</summary>
public sealed class ParityTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly LanguageModel _policy = LanguageModel.Load(Golden("policy"));
    private readonly LanguageModel _reference = LanguageModel.Load(Golden("reference"));
    private readonly SafetensorsFile _expected = SafetensorsFile.Open(Golden("expected.safetensors"));
    private readonly Expected _values = JsonSerializer.Deserialize<Expected>(
        File.ReadAllBytes(Golden("expected.json")), JsonSerializerOptions.Web)!;

    public void Dispose()
    {
        _policy.Dispose();
        _reference.Dispose();
        _expected.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Logits_are_within_a_ten_thousandth_of_the_reference()
    {
        using var gradients = no_grad();
        var ids = _expected.Read("ids");
        var logits = _policy.Logits(_policy.Hidden(ids));
        var difference = (logits.to(float64) - _expected.Read("logits").view(logits.shape)).abs().max();
        Assert.InRange(difference.ToDouble(), 0, 1e-4);
    }

    [Fact]
    public void Loss_and_its_parts_are_the_references()
    {
        using var trainer = NewTrainer(accumulation: 1);
        var step = trainer.TakeStep();
        Assert.Equal(_values.Nll, step.Nll, 1e-5);
        Assert.Equal(_values.Kl, step.Kl, 1e-5);
        Assert.Equal(_values.Entropy, step.Entropy, 1e-5);
        Assert.Equal(_values.Loss, step.Loss, 1e-5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Gradients_are_within_a_thousandth_of_the_reference_however_the_batch_is_parted(int accumulation)
    {
        using var trainer = NewTrainer(accumulation);
        trainer.TakeStep();
        Assert.All(_policy.Parameters, weight =>
        {
            var expected = _expected.Read("grad." + weight.Key);
            var difference = (weight.Value.grad!.to(float64) - expected).abs().max().ToDouble();
            Assert.InRange(difference / expected.abs().max().ToDouble(), 0, 1e-3);
        });
    }

    private Trainer NewTrainer(int accumulation) => new(
        _policy,
        _reference,
        [.. _values.Examples.Select(example => new TrainingExample(example.Feedback, example.Prompt, example.Response))],
        new TrainerOptions
        {
            Steps = 1,
            BatchSize = _values.Examples.Length,
            Accumulation = accumulation,
            LearningRate = 0,
            ClipNorm = 0,
            KlCoefficient = _values.Beta,
            EntropyCoefficient = _values.Alpha,
        });

    private static string Golden(string name) => Repository.PathOf("tests", "Golden", "gpt2-tiny", name);

    private sealed record Expected(double Nll, double Kl, double Entropy, double Loss, double Beta, double Alpha, Example[] Examples);

    private sealed record Example(int[] Feedback, int[] Prompt, int[] Response);
}
