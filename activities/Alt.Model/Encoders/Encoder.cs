using Alt.Model.Network;
using Alt.Model.Products;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;
using Gelu = TorchSharp.Modules.GELU.Approximate;

namespace Alt.Model.Encoders;

/// <summary>
/// BERT and RoBERTa exactly as Hugging Face's BertModel and RobertaModel: learned positions and token types, layer norm after each half of
/// a block, GELU in its exact form. Without dropout.
/// </summary>
/// <remarks>Axes: B sequences, T positions, N = B * T rows, C width, F inner width, H heads.</remarks>
internal sealed partial class Encoder : IDisposable
{
    public EncoderConfig Config { get; }

    /// <summary>The hidden state after the last block, of every token; what stands at padding means nothing.</summary>
    /// <returns>(B, T, C)</returns>
    public Tensor Hidden(SequenceBatch batch)
    {
        var (B, T, H) = (batch.B, batch.T, Config.Heads);
        var mask = (batch.Tokens() - 1).mul_(float.MaxValue).unsqueeze(1).expand(B, H, T).reshape(B * H, 1, T);     // (BH, 1, T)
        var x = Embed(batch);                                                                   // (N, C)
        foreach (var block in _blocks)
        {
            using var scope = NewDisposeScope();
            var attention = SelfAttention.Forward(block.Attention.Forward(x), B, T, H, H, mask);             // (N, 3C) -> (N, C)
            x = block.AttentionNorm.Forward(block.Projection.Forward(attention).add_(x));                 // (N, C)
            var inner = gelu(block.Inner.Forward(x), Gelu.none);                                     // (N, F)
            x = block.OuterNorm.Forward(block.Outer.Forward(inner).add_(x)).MoveToOuterDisposeScope();    // (N, C)
        }

        return x.view(B, T, Config.Width);
    }

    /// <summary>The hidden state of each sequence's first token, which heads read.</summary>
    /// <returns>(B, C)</returns>
    public Tensor First(SequenceBatch batch) => Hidden(batch).select(1, 0);

    /// <summary>The mean of each sequence's hidden states, special tokens included, as Contriever embeds texts.</summary>
    /// <returns>(B, C)</returns>
    public Tensor Mean(SequenceBatch batch)
    {
        var tokens = batch.Tokens().unsqueeze(2);                           // (B, T, 1)
        return (Hidden(batch) * tokens).sum(1) / tokens.sum(1);             // (B, C)
    }

    private Tensor Embed(SequenceBatch batch)
    {
        var words = _words.Embed(batch.Ids());                                               // (B, T, C)
        var positions = _positions.narrow(0, Config.FirstPosition, batch.T);                    // (T, C)
        var types = Config.TokenTypes > 1 ? _types.Embed(batch.Types()) : _types;          // (B, T, C) or (1, C)
        return _embeddingNorm.Forward(words.add_(positions).add_(types)).view(-1, Config.Width);     // (N, C)
    }

    private sealed record Block(Linear Attention, Linear Projection, Norm AttentionNorm, Linear Inner, Linear Outer, Norm OuterNorm);

    private sealed record Norm(Tensor Weight, Tensor Bias, EncoderConfig Config)
    {
        public Tensor Forward(Tensor x) => layer_norm(x, [Config.Width], Weight, Bias, Config.LayerNormEpsilon);
    }

    // Weights are stored as (output, input).
    private sealed record Linear(Tensor Weight, Tensor Bias)
    {
        public Tensor Forward(Tensor x) =>
            Product.Takes(Weight) ? LinearFunction.Forward(x, new(Weight, Bias, InputMajor: false)) : linear(x, Weight, Bias);
    }
}
