using Alt.Activities.Model;
using Alt.Domain;
using Alt.Tests.Infra.TorchSharp;
using TorchSharp;

namespace Alt.Tests.Activities.Model;

/// <summary>Counts tensors of the whole process, so nothing may run beside it.</summary>
[Collection(nameof(LiveTensorTests))]
public class ModelLiveTensorTests
{
    public ModelLiveTensorTests()
    {
        // What other tests left to the collector must not be finalized while these count.
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [Fact]
    public void Training_steps_leave_no_tensors_behind()
    {
        using var policy = TinyModel.Create();
        using var reference = TinyModel.Create();
        using var trainer = new Trainer(policy, reference, TinyModel.Examples(), new TrainerOptions { Accumulation = 2, KlCoefficient = 0.05, EntropyCoefficient = 0.06 });
        var counts = Enumerable.Range(0, 51).Select(_ => (trainer.TakeStep(), torch.Tensor.TotalCount).TotalCount).ToArray();
        // Masks for new lengths are kept; there are few lengths.
        Assert.InRange(counts[^1], 0, counts[0] + 2 * TinyModel.Config.Positions);
        Assert.Equal(counts[30], counts[^1]);
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
}
