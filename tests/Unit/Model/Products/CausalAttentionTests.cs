using Alt.Domain;
using Alt.Model.Network;
using Alt.Model.Products;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

public class CausalAttentionTests
{
    // Sequences, positions, heads, heads of keys and values, head width: below and beyond a tile, a panel and a vector.
    [Theory]
    [InlineData(1, 1, 1, 1, 1)]
    [InlineData(2, 9, 2, 2, 10)]
    [InlineData(3, 50, 4, 2, 64)]
    [InlineData(1, 121, 3, 1, 72)]
    public void Values_and_gradients_are_those_of_the_operators(int B, int T, int H, int G, int D)
    {
        using var scope = NewDisposeScope();
        var (qkv, gradient) = (Normal(B * T, (H + 2 * G) * D, 1), Normal(B * T, H * D, 2));
        var (expected, given) = (Leaf(qkv), Leaf(qkv));
        var mask = full([1, T, T], float.NegativeInfinity).triu(1);
        var byOperators = SelfAttention.Forward(expected, B, T, H, G, mask);
        byOperators.backward([gradient]);

        var ours = CausalAttention.Forward(given, B, T, H, G);
        ours.backward([gradient]);
        BackwardPass.ThrowFailure();

        Assert.InRange((byOperators - ours).abs().max().ToSingle(), 0, 1e-5f);
        Assert.InRange((expected.grad! - given.grad!).abs().max().ToSingle(), 0, 1e-4f);
        using var gradients = no_grad();
        Assert.Equal(ours.detach().bytes, CausalAttention.Forward(given, B, T, H, G).bytes);
    }

    private static Tensor Leaf(Tensor tensor)
    {
        var leaf = tensor.clone();
        leaf.requires_grad = true;
        return leaf;
    }

    private static Tensor Normal(int rows, int columns, int seed)
    {
        var x = empty([rows, columns]);
        Philox.FillNormal(new RandomKey(seed, 0, Stage.Training, 0), x.Floats());
        return x;
    }
}
