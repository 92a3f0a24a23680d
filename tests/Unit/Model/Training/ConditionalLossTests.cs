using Alt.Domain;
using Alt.Model.Network;
using Alt.Model.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

public sealed class ConditionalLossTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    // p = (.7, .2, .1), reference (.5, .3, .2), target 0: the values of an independent computation by hand.
    [Theory]
    [InlineData(0.05, 0.06)]
    [InlineData(0, 0.06)]
    [InlineData(0.05, 0)]
    [InlineData(0, 0)]
    public void A_tokens_parts_are_its_NLL_KL_and_entropy(double beta, double alpha)
    {
        var loss = new ConditionalLoss(beta, alpha);
        var reference = tensor([0.5, 0.3, 0.2]).log().view(1, 3);
        var parts = loss.Differentiate(tensor([0.7, 0.2, 0.1]).log().view(1, 3), tensor([0L]), reference, 1);
        var single = loss.Differentiate(tensor([0.7, 0.2, 0.1]).log().view(1, 3).to(float32), tensor([0L]), reference.to(float32), 1);
        Assert.Equal(0.356674943939, parts.Nll, 1e-11);
        Assert.Equal(beta == 0 ? 0 : 0.092032850234, parts.Kl, 1e-11);
        Assert.Equal(alpha == 0 ? 0 : 0.801818552543, parts.Entropy, 1e-11);
        AssertEqual(parts, single, 1e-6);
    }

    [Theory]
    [InlineData(0, 0, 37)]
    [InlineData(0.3, 0, 37)]
    [InlineData(0, 0.2, 37)]
    [InlineData(0.3, 0.2, 37)]
    [InlineData(0.3, 0, 33)]
    [InlineData(0.3, 0.2, 33)]
    [InlineData(0.3, 0.2, 20)]
    [InlineData(0.3, 0.2, 5)]
    public void The_gradient_is_the_one_that_autograd_finds_for_the_plain_loss(double beta, double alpha, int known)
    {
        const double scale = 0.25;
        var (logits, reference, targets) = (Random(1, 6, 37), Random(2, 6, known), tensor([0L, 4, 36, 16, 15, 2]));
        var plain = logits.to(float64);
        plain.requires_grad = true;
        var (total, expected) = Plain(plain, targets, reference.to(float64), beta, alpha);
        (total * scale).backward();

        var loss = new ConditionalLoss(beta, alpha);
        foreach (var differentiate in new[] { loss.Differentiate, loss.DifferentiateByOperators })
        {
            var gradient = logits.clone();
            AssertEqual(expected, differentiate(gradient, targets, beta == 0 ? null : reference, scale), 1e-4);
            Assert.InRange((gradient.to(float64) - plain.grad!).abs().max().ToDouble(), 0, 1e-6);
        }
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 70)]
    [InlineData(false, 70)]
    [InlineData(false, 1 << 20)]
    public void Gradients_of_hidden_states_and_head_are_those_of_the_plain_loss_however_many_rows_a_chunk_has(bool tied, int chunkLogits)
    {
        var config = TinyModel.Config with
        {
            Architecture = tied ? Architecture.Gpt2 : Architecture.GptJ,
            TiedHead = tied,
            Rotary = tied ? null : new Rotary(4, 10_000, null),
        };
        using var policy = LanguageModel.Create(config, seed: 1);
        using var reference = TinyModel.Create(seed: 2);
        var (weight, bias) = policy.Head;
        Assert.Equal(tied, bias is null);
        foreach (var parameter in new[] { weight, bias }.OfType<Tensor>())
        {
            parameter.requires_grad = true;
        }

        var (hidden, referenceHidden, targets) = (Random(3, 7, config.Width), Random(4, 7, config.Width), tensor(
            [0L, 4, 29, 16, 15, 2, 2]));
        hidden.requires_grad = true;
        var (total, expected) = Plain(policy.Logits(hidden), targets, reference.Logits(referenceHidden), beta: 0.3, alpha: 0.2);
        (total * 0.5).backward();
        var gradients = Take();
        AssertEqual(
            expected, new ConditionalLoss(0.3, 0.2).Backward(
                policy, hidden, targets, new ReferencePass(reference, referenceHidden, reference.Config.Vocabulary), 0.5, chunkLogits),
            1e-4);
        Assert.All(gradients.Zip(Take()), pair => Assert.InRange((pair.First - pair.Second).abs().max().ToDouble(), 0, 1e-5));

        List<Tensor> Take()
        {
            List<Tensor> taken = [];
            foreach (var tensor in new[] { hidden, weight, bias }.OfType<Tensor>())
            {
                taken.Add(tensor.grad!);
                tensor.grad = null;
            }

            return taken;
        }
    }

    private static (Tensor Total, LossParts Parts) Plain(Tensor logits, Tensor targets, Tensor reference, double beta, double alpha)
    {
        var logProbs = logits.log_softmax(-1);
        var nll = -logProbs.gather(1, targets.unsqueeze(1)).sum();
        var entropy = -(logProbs.exp() * logProbs).sum();
        var known = reference.log_softmax(-1);
        var kl = (known.exp() * (known - logits.narrow(1, 0, reference.shape[1]).log_softmax(-1))).sum();
        return (nll + kl * beta - entropy * alpha, new LossParts(
            nll.ToDouble(), beta == 0 ? 0 : kl.ToDouble(), alpha == 0 ? 0 : entropy.ToDouble()));
    }

    private static void AssertEqual(LossParts expected, LossParts actual, double tolerance)
    {
        Assert.Equal(expected.Nll, actual.Nll, tolerance);
        Assert.Equal(expected.Kl, actual.Kl, tolerance);
        Assert.Equal(expected.Entropy, actual.Entropy, tolerance);
    }

    private static Tensor Random(int seed, long rows, long columns)
    {
        var values = new float[rows * columns];
        Philox.FillNormal(new RandomKey(seed, 0, Stage.Training), values, deviation: 3);
        return tensor(values).view(rows, columns);
    }
}
