using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Alt.Model.Products;
using TorchSharp;

namespace Alt.Model.Training;

/// <summary>
/// <see cref="ConditionalLoss"/> of rows of logits and its gradient, two passes over each row, on all cores: the operators one by one would
/// pass over all of the logits a dozen times. Each row is one core's, so the number of cores changes nothing.
/// </summary>
/// <param name="Beta">The weight of KL(reference || policy).</param>
/// <param name="Alpha">The weight of the entropy.</param>
/// <param name="Scale">What the gradient is multiplied by.</param>
internal readonly record struct ConditionalLossKernel(float Beta, float Alpha, float Scale)
{
    private static readonly int Width = Vector512<float>.Count;

    /// <summary>Sums the loss and puts the gradient in the logits' place; all tensors are contiguous and on the processor.</summary>
    /// <param name="logits">(r, V)</param>
    /// <param name="targets">(r)</param>
    /// <param name="reference">(r, V0), where beta is not 0.</param>
    public LossParts Run(torch.Tensor logits, torch.Tensor targets, torch.Tensor? reference)
    {
        var kernel = this;
        var (rows, V, V0) = ((int)logits.shape[0], (int)logits.shape[1], (int)(reference?.shape[1] ?? 0));
        var parts = new LossParts[rows];
        Parallel.For(0, rows, row =>
        {
            var referenceRow = reference is null ? [] : reference.Floats().Slice(row * V0, V0);
            var target = (int)MemoryMarshal.Cast<byte, long>(targets.bytes)[row];
            parts[row] = kernel.Run(logits.Floats().Slice(row * V, V), target, referenceRow);
        });

        var sum = default(LossParts);
        foreach (var part in parts)
        {
            sum += part;
        }

        return sum;
    }

    private LossParts Run(Span<float> logits, int target, ReadOnlySpan<float> reference)
    {
        // The tokens that the reference knows, and those added since: together the policy's distribution.
        var known = logits[..reference.Length];
        var added = logits[reference.Length..];
        var (knownSum, addedSum) = (Normaliser.Of(known), Normaliser.Of(added));
        var whole = knownSum.With(addedSum);
        var nll = whole.LogSum - logits[target];

        var kl = 0.0;
        if (Beta != 0)
        {
            kl = DifferentiateKnown(
                known, knownSum.LogSum, Math.Exp(knownSum.LogSum - whole.LogSum), whole, reference, Normaliser.Of(reference).LogSum);
        }

        DifferentiateAdded(added, whole);
        logits[target] -= Scale;
        return new LossParts(nll, kl, Alpha != 0 ? whole.Entropy : 0);
    }

    // Where there is no reference all tokens are these.
    private void DifferentiateAdded(Span<float> logits, Normaliser whole)
    {
        var (logSum, entropy, i) = ((float)whole.LogSum, (float)whole.Entropy, 0);
        for (; i <= logits.Length - Width; i += Width)
        {
            var logProb = Vector512.LoadUnsafe(in logits[i]) - Vector512.Create(logSum);
            var weight = (logProb + Vector512.Create(entropy)) * Alpha + Vector512<float>.One;
            (VectorMath.Exp(logProb) * weight * Scale).StoreUnsafe(ref logits[i]);
        }

        for (; i < logits.Length; i++)
        {
            var logProb = logits[i] - logSum;
            logits[i] = MathF.Exp(logProb) * (1 + Alpha * (logProb + entropy)) * Scale;
        }
    }

    private double DifferentiateKnown(
        Span<float> logits, double knownLogSum, double knownShare, Normaliser whole, ReadOnlySpan<float> reference, double referenceLogSum)
    {
        var (logKnown, share, shift, logReference, i) =
            ((float)knownLogSum, (float)knownShare, (float)(knownLogSum - whole.LogSum + whole.Entropy), (float)referenceLogSum, 0);
        var divergence = Vector512<float>.Zero;
        for (; i <= logits.Length - Width; i += Width)
        {
            var logProb = Vector512.LoadUnsafe(in logits[i]) - Vector512.Create(logKnown);
            var referenceLogProb = Vector512.LoadUnsafe(in reference[i]) - Vector512.Create(logReference);
            var (prob, referenceProb) = (VectorMath.Exp(logProb), VectorMath.Exp(referenceLogProb));
            divergence += referenceProb * (referenceLogProb - logProb);
            var weight = (logProb + Vector512.Create(shift)) * Alpha + Vector512<float>.One;
            ((prob * share * weight + (prob - referenceProb) * Beta) * Scale).StoreUnsafe(ref logits[i]);
        }

        double kl = Vector512.Sum(divergence);
        for (; i < logits.Length; i++)
        {
            var (logProb, referenceLogProb) = (logits[i] - logKnown, reference[i] - logReference);
            var (prob, referenceProb) = (MathF.Exp(logProb), MathF.Exp(referenceLogProb));
            kl += referenceProb * (referenceLogProb - logProb);
            logits[i] = (prob * share * (1 + Alpha * (logProb + shift)) + Beta * (prob - referenceProb)) * Scale;
        }

        return kl;
    }

    /// <summary>What makes logits x a distribution.</summary>
    /// <param name="Max">The largest x.</param>
    /// <param name="Sum">Of exp(x - Max).</param>
    /// <param name="Weighted">The sum of exp(x - Max) (x - Max).</param>
    private readonly record struct Normaliser(double Max, double Sum, double Weighted)
    {
        public double LogSum => Max + Math.Log(Sum);

        public double Entropy => Math.Log(Sum) - Weighted / Sum;

        public static Normaliser Of(ReadOnlySpan<float> x)
        {
            if (x.IsEmpty)
            {
                return new Normaliser(double.NegativeInfinity, 0, 0);
            }

            var (max, i) = (x[^1], 0);
            var maxima = Vector512.Create(max);
            for (; i <= x.Length - Width; i += Width)
            {
                maxima = Vector512.Max(maxima, Vector512.LoadUnsafe(in x[i]));
            }

            max = VectorMath.Max(maxima);
            for (; i < x.Length; i++)
            {
                max = Math.Max(max, x[i]);
            }

            var (sums, weighted) = (Vector512<float>.Zero, Vector512<float>.Zero);
            for (i = 0; i <= x.Length - Width; i += Width)
            {
                var difference = Vector512.LoadUnsafe(in x[i]) - Vector512.Create(max);
                var exp = VectorMath.Exp(difference);
                sums += exp;
                weighted += exp * difference;
            }

            double sum = Vector512.Sum(sums), weightedSum = Vector512.Sum(weighted);
            for (; i < x.Length; i++)
            {
                var exp = MathF.Exp(x[i] - max);
                sum += exp;
                weightedSum += exp * (x[i] - max);
            }

            return new Normaliser(max, sum, weightedSum);
        }

        /// <summary>Of both sets of logits together.</summary>
        public Normaliser With(Normaliser other)
        {
            if (Sum == 0 || other.Sum == 0)
            {
                return Sum == 0 ? other : this;
            }

            var max = Math.Max(Max, other.Max);
            var (shift, otherShift) = (Max - max, other.Max - max);
            var (factor, otherFactor) = (Math.Exp(shift), Math.Exp(otherShift));
            return new Normaliser(
                max,
                factor * Sum + otherFactor * other.Sum,
                factor * (Weighted + shift * Sum) + otherFactor * (other.Weighted + otherShift * other.Sum));
        }
    }
}
