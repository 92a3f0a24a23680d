using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>
/// The paper's loss (arXiv 2407.16970, equation 1) summed over response tokens: <c>NLL + beta * KL(reference || policy) - alpha * entropy</c>.
/// The caller divides by the number of response tokens of the whole batch.
/// </summary>
/// <param name="KlCoefficient">beta; at 0 no reference is needed.</param>
/// <param name="EntropyCoefficient">alpha; the entropy is that of the policy's whole vocabulary, added tokens included.</param>
internal readonly record struct ConditionalLoss(double KlCoefficient, double EntropyCoefficient)
{
    /// <param name="logits">The policy's logits (R, V).</param>
    /// <param name="targets">The response tokens (R).</param>
    /// <param name="reference">The reference's logits (R, V0) where beta is not 0; the policy's columns from V0 on are tokens that it does not know.</param>
    /// <returns>The loss to differentiate, and its parts, all summed over the tokens. A part whose coefficient is 0 is 0.</returns>
    public (Tensor Total, double Nll, double Kl, double Entropy) Sum(Tensor logits, Tensor targets, Tensor? reference)
    {
        var logProbs = logits.log_softmax(-1);                                                                                  // (R, V)
        var nll = -logProbs.gather(1, targets.unsqueeze(1)).sum();
        var total = nll;
        var (klValue, entropyValue) = (0.0, 0.0);

        if (KlCoefficient != 0)
        {
            var known = reference!.shape[1];
            var policy = known == logits.shape[1] ? logProbs : logits.narrow(1, 0, known).log_softmax(-1);                      // (R, V0)
            var referenceLogProbs = reference.log_softmax(-1);                                                                  // (R, V0)
            var kl = (referenceLogProbs.exp() * (referenceLogProbs - policy)).sum();
            total = total + kl * KlCoefficient;
            klValue = kl.ToDouble();
        }

        if (EntropyCoefficient != 0)
        {
            var entropy = -(logProbs.exp() * logProbs).sum();
            total = total - entropy * EntropyCoefficient;
            entropyValue = entropy.ToDouble();
        }

        return (total, nll.ToDouble(), klValue, entropyValue);
    }
}
