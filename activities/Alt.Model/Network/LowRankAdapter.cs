using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Alt.Model.Network;

/// <summary>What LoRA (arXiv 2106.09685) adds to a linear layer: <c>y = x W + x A^T B^T scale</c>.</summary>
/// <param name="A">(r, in)</param>
/// <param name="B">(out, r)</param>
/// <param name="Scale">alpha / r.</param>
internal sealed record LowRankAdapter(Tensor A, Tensor B, double Scale) : IDisposable
{
    /// <param name="x">(N, in)</param>
    /// <returns>(N, out)</returns>
    public Tensor Forward(Tensor x) => linear(linear(x, A), B) * Scale;

    /// <summary>What it adds to the layer's weights (out, in).</summary>
    public Tensor Product() => B.mm(A) * Scale;

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
    }
}
