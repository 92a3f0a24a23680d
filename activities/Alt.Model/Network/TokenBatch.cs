using Alt.Domain;
using static TorchSharp.torch;

namespace Alt.Model.Network;

/// <summary>
/// Rows of input and response, side by side as one tensor: what the model reads, at which rows of the hidden state each response
/// token is predicted, and which token it is.
/// </summary>
internal sealed class TokenBatch
{
    /// <param name="rows">Input and response of each row; an input has at least one token.</param>
    /// <exception cref="InputException">A row does not fit the model's positions, or its input is empty.</exception>
    public TokenBatch(IReadOnlyList<(int[] Input, int[] Response)> rows, LanguageModel model)
    {
        // Nothing is predicted from a response's last token, so it is not read.
        var T = rows.Max(row => row.Input.Length + row.Response.Length - 1);
        if (T > model.Config.Positions)
        {
            throw new InputException($"a row of {T + 1} tokens does not fit the model's {model.Config.Positions} positions");
        }

        var ids = new long[rows.Count * T];
        var (predictors, targets) = (new List<long>(ids.Length), new List<long>(ids.Length));
        for (var b = 0; b < rows.Count; b++)
        {
            var (input, response) = rows[b];
            if (input.Length == 0)
            {
                throw new InputException("a row has no input, expected at least one token before the response");
            }

            for (var t = 0; t < input.Length; t++)
            {
                ids[b * T + t] = input[t];
            }

            for (var t = 0; t < response.Length; t++)
            {
                predictors.Add(b * T + input.Length - 1 + t);
                targets.Add(response[t]);
                if (t < response.Length - 1)
                {
                    ids[b * T + input.Length + t] = response[t];
                }
            }

            Tokens += input.Length + response.Length - 1;
        }

        Ids = tensor(ids, device: model.Device).view(rows.Count, T);
        Predictors = tensor([.. predictors], device: model.Device);
        Targets = tensor([.. targets], device: model.Device);
    }

    /// <summary>Token ids (B, T), padded on the right.</summary>
    public Tensor Ids { get; }

    /// <summary>The rows of the hidden state that predict the response tokens (R).</summary>
    public Tensor Predictors { get; }

    /// <summary>The response tokens (R).</summary>
    public Tensor Targets { get; }

    /// <summary>How many tokens are read, padding not counted.</summary>
    public int Tokens { get; }

    /// <summary>Of the hidden states (N, C) those that predict the response tokens, and no others (R, C).</summary>
    public Tensor Predicting(Tensor hidden) => hidden.index_select(0, Predictors);
}
