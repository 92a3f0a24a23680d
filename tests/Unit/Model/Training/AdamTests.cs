using Alt.Domain;
using Alt.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

public sealed class AdamTests : IDisposable
{
    private const int Length = 70_003;

    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void An_update_is_what_the_formula_gives()
    {
        using var gradients = no_grad();
        using var adam = new Adam(beta1: 0.8, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.1);
        var weight = Random(1).view(1, Length);
        var (start, gradient) = (weight.data<float>().ToArray(), Random(2));
        for (var i = 0; i < 3; i++)
        {
            adam.Update(Named(weight), Named(gradient.view(1, Length)), learningRate: 0.01, gradientScale: 0.5);
        }

        var (values, g) = (weight.data<float>().ToArray(), gradient.data<float>().ToArray());
        foreach (var i in new[] { 0, 1, 40_000, Length - 1 })
        {
            // The gradient is always the same, so both corrected moments are its own mean and square.
            var expected = (double)start[i];
            for (var step = 0; step < 3; step++)
            {
                expected = expected * (1 - 0.01 * 0.1) - 0.01 * (0.5 * g[i]) / (Math.Abs(0.5 * g[i]) + 1e-6);
            }

            Assert.Equal(expected, values[i], 1e-5);
        }
    }

    [Fact]
    public void The_update_by_operators_is_the_kernels()
    {
        using var adam = new Adam(beta1: 0.8, beta2: 0.99, epsilon: 1e-6, weightDecay: 0);
        var (w, g, m, v) = (Random(1), Random(2), Random(3), Random(4).square());
        var (w2, g2, m2, v2) = (w.clone(), g.clone(), m.clone(), v.clone());
        new AdamKernel(0.8f, 0.99f, 1e-6f, 0.01f, 0.999f, 0.5f).Run(w, g, m, v);
        adam.UpdateByOperators(w2, g2, m2, v2, 1e-6, 0.01, 0.999, 0.5);
        Assert.All([(w, w2), (m, m2), (v, v2)], pair => Assert.InRange((pair.Item1 - pair.Item2).abs().max().ToSingle(), 0, 1e-5f));
    }

    private static Dictionary<string, Tensor> Named(Tensor tensor) => new() { ["w"] = tensor };

    private static Tensor Random(int seed)
    {
        var values = new float[Length];
        Philox.FillNormal(new RandomKey(seed, 0, Stage.Training), values);
        return tensor(values);
    }
}
