using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Infra.TorchSharp;

/// <summary>Counts tensors of the whole process, so nothing may run beside it.</summary>
[Collection(nameof(LiveTensorTests))]
[CollectionDefinition(nameof(LiveTensorTests), DisableParallelization = true)]
public class LiveTensorTests
{
    [Fact]
    public void The_count_of_live_tensors_does_not_grow()
    {
        // What other tests left to the collector must not be finalized while this one counts.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var weight = ones([4, 4], requires_grad: true);
        Work(weight);
        var before = Tensor.TotalCount;
        for (var i = 0; i < 100; i++)
        {
            Work(weight);
        }

        Assert.Equal(before, Tensor.TotalCount);
    }

    private static void Work(torch.Tensor weight)
    {
        using var scope = NewDisposeScope();
        var loss = weight.matmul(ones([4, 4])).split(2)[0].add(1).exp_().sum();
        loss.backward();
        using (no_grad())
        {
            weight.sub_(weight.grad! * 0.1);
            weight.grad!.zero_();
        }

        Assert.Throws<ExternalException>(() => weight.view(5));
        Assert.True(loss.isfinite().ToBoolean());
    }
}
