using Alt.Model.Network;
using Alt.Model.Products;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Model.Training;

/// <summary>What the loss is made of, summed over response tokens. A part whose coefficient is 0 is 0.</summary>
/// <param name="Kl">KL(reference || policy).</param>
/// <param name="Entropy">In nats.</param>
internal readonly record struct LossParts(double Nll, double Kl, double Entropy)
{
    public static LossParts operator +(LossParts left, LossParts right) =>
        new(left.Nll + right.Nll, left.Kl + right.Kl, left.Entropy + right.Entropy);
}

/// <summary>What the reference makes of the rows that the policy is trained on.</summary>
/// <param name="Hidden">Its hidden states (R, C0).</param>
/// <param name="Known">V0, how many tokens it knows, from the first on.</param>
internal readonly record struct ReferencePass(LanguageModel Model, Tensor Hidden, int Known);

/// <summary>
/// The paper's loss (arXiv 2407.16970, equation 1) summed over response tokens:
/// <c>NLL + beta * KL(reference || policy) - alpha * entropy</c>.
/// </summary>
/// <remarks>
/// Logits, loss and gradients are computed for some rows at a time, so that no more than one chunk of logits is held, and that is
/// overwritten by its gradient. With p the policy's probabilities, p' those renormalised over the tokens that the reference knows, q the
/// reference's, H the policy's entropy and t the response token, the loss of one row has the gradient
/// <c>p_j - [j = t] + beta * (p'_j - q_j) [j known] + alpha * p_j (log p_j + H)</c> with respect to its logit j.
/// </remarks>
/// <param name="KlCoefficient">beta; at 0 no reference is needed.</param>
/// <param name="EntropyCoefficient">alpha; the entropy is that of the policy's whole vocabulary, added tokens included.</param>
internal readonly record struct ConditionalLoss(double KlCoefficient, double EntropyCoefficient)
{
    /// <summary>
    /// Logits in a chunk: 128 MiB in single precision. Fewer would read the head, and read and write its gradient, more often.
    /// </summary>
    private const int ChunkLogits = 1 << 25;

    /// <summary>Sums the loss, and adds its gradients to those of the policy's weights.</summary>
    /// <param name="hidden">The policy's hidden states (R, C) that predict the response tokens, with their history.</param>
    /// <param name="targets">The response tokens (R).</param>
    /// <param name="reference">The reference where beta is not 0; it may know fewer tokens than the policy.</param>
    /// <param name="scale">
    /// What the loss is multiplied by before it is differentiated: one by the number of response tokens of the whole batch.
    /// </param>
    public LossParts Backward(
        LanguageModel policy, Tensor hidden, Tensor targets, ReferencePass? reference, double scale, int chunkLogits = ChunkLogits)
    {
        using var gradients = no_grad();
        var parts = default(LossParts);
        var (rows, x) = (hidden.shape[0], hidden.detach());
        var gradient = empty_like(x);                                                                                   // (R, C)
        var chunks = Math.Min(rows, (rows * policy.Config.Vocabulary + chunkLogits - 1) / chunkLogits);
        for (var i = 0; i < chunks; i++)
        {
            using var scope = NewDisposeScope();
            var (start, end) = (rows * i / chunks, rows * (i + 1) / chunks);
            var chunk = Rows(x);                                                                                        // (r, C)
            var logits = policy.Logits(chunk).to(float32);                                                              // (r, V)
            parts += Differentiate(
                logits, Rows(targets),
                reference is { } r ? r.Model.Logits(Rows(r.Hidden)).narrow(1, 0, r.Known).to(float32).contiguous() : null, scale);
            var logitGradient = logits.to(x.dtype);
            Rows(gradient).copy_(ByHead(logitGradient, policy.Head.Weight));
            AddHeadGradients(policy, chunk, logitGradient);

            Tensor Rows(Tensor tensor) => tensor.narrow(0, start, end - start);
        }

        hidden.backward([gradient]);
        BackwardPass.ThrowFailure();
        return parts;
    }

    /// <summary>Sums the loss of rows of logits, and puts its gradient in the logits' place.</summary>
    /// <param name="logits">The policy's logits (r, V) in single or double precision.</param>
    /// <param name="targets">The response tokens (r).</param>
    /// <param name="reference">
    /// The reference's logits (r, V0) where beta is not 0; the policy's columns from V0 on are tokens that it does not know.
    /// </param>
    /// <param name="scale">What the gradient is multiplied by.</param>
    internal LossParts Differentiate(Tensor logits, Tensor targets, Tensor? reference, double scale) =>
        logits.device_type == DeviceType.CPU && logits.dtype == float32
            ? new ConditionalLossKernel((float)KlCoefficient, (float)EntropyCoefficient, (float)scale).Run(logits, targets, reference)
            : DifferentiateByOperators(logits, targets, reference, scale);

    /// <summary>The same as <see cref="ConditionalLossKernel"/>, for GPUs.</summary>
    internal LossParts DifferentiateByOperators(Tensor logits, Tensor targets, Tensor? reference, double scale)
    {
        var target = targets.unsqueeze(1);                                                                              // (r, 1)
        var logProbs = logits.log_softmax(-1);                                                                          // (r, V)
        var probs = logProbs.exp();                                                                                     // (r, V)
        var (nll, kl, entropy) = (-logProbs.gather(1, target).sum().ToDouble(), 0.0, 0.0);
        logits.copy_(probs);
        if (EntropyCoefficient != 0)
        {
            var entropies = -(probs * logProbs).sum(-1, keepdim: true);                                                 // (r, 1)
            entropy = entropies.sum().ToDouble();
            logits.addcmul_(probs, logProbs + entropies, EntropyCoefficient);
        }

        if (KlCoefficient != 0)
        {
            var known = reference!.shape[1];
            var policyKnown = known == logits.shape[1] ? logProbs : logProbs.narrow(1, 0, known).log_softmax(-1);       // (r, V0)
            var referenceLogProbs = reference.log_softmax(-1);                                                          // (r, V0)
            var referenceProbs = referenceLogProbs.exp();                                                               // (r, V0)
            kl = (referenceProbs * (referenceLogProbs - policyKnown)).sum().ToDouble();
            logits.narrow(1, 0, known).add_(policyKnown.exp() - referenceProbs, KlCoefficient);
        }

        logits.scatter_add_(1, target, full(target.shape, -1, logits.dtype, logits.device)).mul_(scale);
        return new LossParts(nll, kl, entropy);
    }

    // (r, C)
    private static Tensor ByHead(Tensor logitGradient, Tensor head) =>
        Product.Takes(head) ? Product.Of(Matrix.Of(logitGradient), Matrix.Of(head)) : logitGradient.mm(head);

    private static void AddHeadGradients(LanguageModel policy, Tensor hidden, Tensor logitGradient)
    {
        var (weight, bias) = policy.Head;
        if (weight.requires_grad)
        {
            if (Product.Takes(weight))
            {
                LinearFunction.AddGradient(weight, Matrix.Of(logitGradient).Transposed, Matrix.Of(hidden));             // (V, C)
            }
            else if (weight.grad is { } sum)
            {
                sum.addmm_(logitGradient.t(), hidden);                                                                  // (V, C)
            }
            else
            {
                weight.grad = logitGradient.t().mm(hidden);
            }
        }

        if (bias is { requires_grad: true })
        {
            var own = Product.Takes(bias) ? Product.SumOfRows(logitGradient) : logitGradient.sum(dim: 0);              // (V)
            bias.grad = bias.grad is { } sum ? sum.add_(own) : own;
        }
    }
}
