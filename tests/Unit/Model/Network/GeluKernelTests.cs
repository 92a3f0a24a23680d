using Alt.Model.Network;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;
using Gelu = TorchSharp.Modules.GELU.Approximate;

namespace Alt.Tests.Model;

public class GeluKernelTests
{
    [Theory]
    [InlineData(Gelu.tanh, 5)]
    [InlineData(Gelu.none, 5)]
    [InlineData(Gelu.tanh, 100_007)]
    [InlineData(Gelu.none, 100_007)]
    public void Values_and_gradients_are_those_of_libtorch_in_double_precision(Gelu approximate, int count)
    {
        using var scope = NewDisposeScope();
        var x = tensor([.. Enumerable.Range(0, count).Select(i => i == 0 ? -100 : i == 1 ? 100 : -8 + 16f * i / (count - 1))]);
        var upstream = tensor([.. Enumerable.Range(0, count).Select(i => 1 + i % 3f)]);
        var (values, gradients) = Differentiated(x.to(float64), upstream.to(float64), leaf => gelu(leaf, approximate));

        var (ownValues, ownGradients) = Differentiated(x, upstream, leaf => GeluKernel.Forward(leaf, approximate));

        AssertNear(values, ownValues);
        AssertNear(gradients, ownGradients);
        using var inference = no_grad();
        AssertNear(values, GeluKernel.Forward(x, approximate).data<float>().ToArray());
    }

    private static (float[] Values, float[] Gradients) Differentiated(Tensor x, Tensor upstream, Func<Tensor, Tensor> function)
    {
        var leaf = x.clone();
        leaf.requires_grad = true;
        var y = function(leaf);
        y.backward([upstream]);
        return (y.detach().to(float32).data<float>().ToArray(), leaf.grad!.to(float32).data<float>().ToArray());
    }

    private static void AssertNear(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.DoesNotContain(actual, float.IsNaN);
        Assert.InRange(expected.Zip(actual, (left, right) => Math.Abs(left - right)).Max(), 0, 5e-6);
    }
}
