using static TorchSharp.torch;

namespace Alt.Model.Encoders;

/// <summary>Sequences side by side as one tensor, padded on the right. Axes: B sequences, T positions.</summary>
/// <param name="sequences">At least one, each of at least one token.</param>
/// <param name="device">Where the tensors are to be.</param>
internal sealed class SequenceBatch(IReadOnlyList<TokenSequence> sequences, Device device)
{
    public long B => sequences.Count;

    public long T { get; } = sequences.Max(s => s.Ids.Length);

    /// <summary>Token ids (B, T), 0 at padding.</summary>
    public Tensor Ids() => Fill((sequence, t) => sequence.Ids[t]);

    /// <summary>Token types (B, T): 0 for the first text, 1 for the second.</summary>
    public Tensor Types() => Fill((sequence, t) => t < sequence.SecondStart ? 0 : 1);

    /// <summary>(B, T): 1 at tokens, 0 at padding.</summary>
    public Tensor Tokens() => Fill((_, _) => 1).to(float32);

    /// <summary>Each sequence's last token as a row of N = B * T rows (B).</summary>
    public Tensor LastRows() => tensor([.. sequences.Select((sequence, b) => b * T + sequence.Ids.Length - 1)], device: device);

    private Tensor Fill(Func<TokenSequence, int, long> value)
    {
        var values = new long[B * T];
        foreach (var (b, sequence) in sequences.Index())
        {
            for (var t = 0; t < sequence.Ids.Length; t++)
            {
                values[b * T + t] = value(sequence, t);
            }
        }

        return tensor(values, device: device).view(B, T);
    }
}
