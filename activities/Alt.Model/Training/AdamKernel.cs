using System.Runtime.Intrinsics;
using Alt.Model.Products;
using TorchSharp;

namespace Alt.Model.Training;

/// <summary>
/// One update of Adam in one pass over a tensor's memory, on all cores: the operators one by one would pass over it eleven times.
/// </summary>
/// <param name="Beta1">Decay of the mean of gradients.</param>
/// <param name="Beta2">Decay of the mean of squared gradients.</param>
/// <param name="Epsilon">Added to the denominator.</param>
/// <param name="StepSize">What the quotient of the moments is multiplied by.</param>
/// <param name="Shrink">What the weights are multiplied by first.</param>
/// <param name="GradientScale">What the gradients are multiplied by first.</param>
internal readonly record struct AdamKernel(float Beta1, float Beta2, float Epsilon, float StepSize, float Shrink, float GradientScale)
{
    // Elements per piece of work; its four arrays fit a core's cache.
    private const int Piece = 1 << 15;

    /// <summary>Updates weights and moments in place; all four are contiguous, on the processor and of one length.</summary>
    public void Run(torch.Tensor weights, torch.Tensor gradients, torch.Tensor means, torch.Tensor squares)
    {
        var kernel = this;
        var length = (int)weights.NumberOfElements;
        var pieces = (length + Piece - 1) / Piece;
        if (pieces == 1)
        {
            Update(0);
        }
        else
        {
            Parallel.For(0, pieces, Update);
        }

        void Update(int piece)
        {
            var start = piece * Piece;
            var count = Math.Min(Piece, length - start);
            kernel.Run(Slice(weights), Slice(gradients), Slice(means), Slice(squares));

            Span<float> Slice(torch.Tensor tensor) => tensor.Floats().Slice(start, count);
        }
    }

    private void Run(Span<float> weights, ReadOnlySpan<float> gradients, Span<float> means, Span<float> squares)
    {
        var width = Vector256<float>.Count;
        var whole = weights.Length - weights.Length % width;
        for (var i = 0; i < whole; i += width)
        {
            var g = Vector256.LoadUnsafe(in gradients[i]) * GradientScale;
            var m = Vector256.LoadUnsafe(in means[i]) * Beta1 + g * (1 - Beta1);
            var v = Vector256.LoadUnsafe(in squares[i]) * Beta2 + g * g * (1 - Beta2);
            var w = Vector256.LoadUnsafe(in weights[i]) * Shrink - m / (Vector256.Sqrt(v) + Vector256.Create(Epsilon)) * StepSize;
            m.StoreUnsafe(ref means[i]);
            v.StoreUnsafe(ref squares[i]);
            w.StoreUnsafe(ref weights[i]);
        }

        for (var i = whole; i < weights.Length; i++)
        {
            var g = gradients[i] * GradientScale;
            means[i] = means[i] * Beta1 + g * (1 - Beta1);
            squares[i] = squares[i] * Beta2 + g * g * (1 - Beta2);
            weights[i] = weights[i] * Shrink - means[i] / (MathF.Sqrt(squares[i]) + Epsilon) * StepSize;
        }
    }
}
