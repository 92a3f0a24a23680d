using Alt.Model.Network;
using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Sampling;

/// <summary>How likely a model finds a response.</summary>
/// <param name="LogProbability">Natural logarithm of the response's probability given its prompt.</param>
/// <param name="Tokens">How many tokens the response has.</param>
public readonly record struct Likelihood(double LogProbability, int Tokens)
{
    /// <summary>exp of the mean negative log-likelihood per token; not a number for an empty response.</summary>
    public double Perplexity => Math.Exp(-LogProbability / Tokens);
}

/// <summary>Scores given responses under a model, in batches of rows of about equal length.</summary>
/// <param name="batchSize">Rows per batch.</param>
public sealed class LikelihoodScorer(LanguageModel model, int batchSize = 64)
{
    /// <returns>The likelihoods in the order of the rows.</returns>
    /// <exception cref="Alt.Domain.InputException">A row does not fit the model's positions, or its prompt is empty.</exception>
    /// <exception cref="OperationCanceledException">Between two batches.</exception>
    public IReadOnlyList<Likelihood> Score(IReadOnlyList<(int[] Prompt, int[] Response)> rows, CancellationToken token = default)
    {
        ModelThreads.Apply();
        using var gradients = no_grad();
        var likelihoods = new Likelihood[rows.Count];
        var byLength = Enumerable.Range(0, rows.Count).Where(i => rows[i].Response.Length > 0)
            .OrderBy(i => rows[i].Prompt.Length + rows[i].Response.Length);
        foreach (var batch in byLength.Chunk(batchSize))
        {
            token.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var inputs = new TokenBatch([.. batch.Select(i => rows[i])], model);
            var logProbs = model.Logits(inputs.Predicting(model.Hidden(inputs.Ids))).to(float32)
                .log_softmax(-1).gather(1, inputs.Targets.unsqueeze(1));     // (R, 1)
            var values = logProbs.cpu().contiguous().Floats();
            foreach (var i in batch)
            {
                var length = rows[i].Response.Length;
                var sum = 0.0;
                foreach (var logProb in values[..length])
                {
                    sum += logProb;
                }

                likelihoods[i] = new Likelihood(sum, length);
                values = values[length..];
            }
        }

        return likelihoods;
    }
}
