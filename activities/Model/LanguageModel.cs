using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;
using Gelu = TorchSharp.Modules.GELU.Approximate;

namespace Alt.Activities.Model;

/// <summary>
/// GPT-2 exactly as Hugging Face's GPT2LMHeadModel: learned positions, layer norm before each half of a block, weights stored as
/// (input, output), GELU in its tanh form, the output head tied to the token embedding. Without dropout.
/// </summary>
/// <remarks>
/// Sequences are padded on the right, if at all: under the causal mask no token sees what follows it, so that padding needs no mask,
/// positions count from 0, and what the model computes at padding is never read.
/// Axes: B sequences, T positions, N = B * T rows, C width, H heads, D = C / H, V vocabulary.
/// </remarks>
public sealed partial class LanguageModel : IDisposable
{
    private readonly SortedDictionary<string, Tensor> _parameters;
    private readonly Block[] _blocks;
    private readonly Norm _finalNorm;
    private readonly Dictionary<long, Tensor> _causalMasks = [];

    private LanguageModel(GptConfig config, SortedDictionary<string, Tensor> parameters)
    {
        Config = config;
        _parameters = parameters;
        _blocks = [.. Enumerable.Range(0, config.Layers).Select(layer => new Block(
            NormOf($"transformer.h.{layer}.ln_1"), LinearOf($"transformer.h.{layer}.attn.c_attn"), LinearOf($"transformer.h.{layer}.attn.c_proj"),
            NormOf($"transformer.h.{layer}.ln_2"), LinearOf($"transformer.h.{layer}.mlp.c_fc"), LinearOf($"transformer.h.{layer}.mlp.c_proj")))];
        _finalNorm = NormOf("transformer.ln_f");
    }

    /// <summary>The model's shape.</summary>
    public GptConfig Config { get; }

    /// <summary>The weights by Hugging Face's names, sorted by name.</summary>
    public IReadOnlyDictionary<string, Tensor> Parameters => _parameters;

    /// <summary>Where the weights are.</summary>
    public Device Device => TokenEmbedding.device;

    private Tensor TokenEmbedding => _parameters[TokenEmbeddingName];           // (V, C)
    private Tensor PositionEmbedding => _parameters[PositionEmbeddingName];     // (P, C)

    /// <summary>The residual stream after the last block and norm, of every token.</summary>
    /// <param name="ids">Token ids (B, T), padded on the right with any id.</param>
    /// <returns>(N, C)</returns>
    public Tensor Hidden(Tensor ids)
    {
        var (B, T) = (ids.shape[0], ids.shape[1]);
        var mask = CausalMask(T);
        return Hidden(ids, PositionEmbedding.narrow(0, 0, T), (_, qkv) => SelfAttention.Of(qkv, B, T, Config.Heads, mask));
    }

    /// <summary>The next-token logits at rows of <see cref="Hidden(Tensor)"/>.</summary>
    /// <param name="hidden">(R, C)</param>
    /// <returns>(R, V)</returns>
    public Tensor Logits(Tensor hidden) => hidden.matmul(TokenEmbedding.t());

    /// <summary>Reads whole prompts and keeps their keys and values.</summary>
    /// <param name="ids">Token ids (B, T), padded on the right.</param>
    /// <param name="slots">For each of the cache's places to fill: the place, and which of the B prompts to put there.</param>
    /// <returns>(N, C), as <see cref="Hidden(Tensor)"/>.</returns>
    internal Tensor Prefill(Tensor ids, KeyValueCache cache, IReadOnlyList<(int Slot, int Row)> slots)
    {
        var (B, T) = (ids.shape[0], ids.shape[1]);
        var mask = CausalMask(T);
        return Hidden(ids, PositionEmbedding.narrow(0, 0, T), (layer, qkv) =>
        {
            cache.Fill(layer, qkv, T, slots);
            return SelfAttention.Of(qkv, B, T, Config.Heads, mask);
        });
    }

    /// <summary>Reads one more token of each of A sequences.</summary>
    /// <param name="tokens">The token of each sequence (A).</param>
    /// <param name="slots">Where the cache holds each sequence, and the token's position in it.</param>
    /// <returns>(A, C)</returns>
    internal Tensor Decode(long[] tokens, KeyValueCache cache, (int Slot, int Position)[] slots)
    {
        var ids = tensor(tokens, device: Device).unsqueeze(1);                                                                   // (A, 1)
        var positions = embedding(tensor([.. slots.Select(slot => (long)slot.Position)], device: Device), PositionEmbedding);    // (A, C)
        return Hidden(ids, positions.unsqueeze(1), (layer, qkv) => cache.Attend(layer, qkv, slots));
    }

    public void Dispose()
    {
        foreach (var tensor in _parameters.Values.Concat(_causalMasks.Values))
        {
            tensor.Dispose();
        }
    }

    private Tensor Hidden(Tensor ids, Tensor positions, Func<int, Tensor, Tensor> attend)
    {
        var x = embedding(ids, TokenEmbedding).add_(positions).view(-1, Config.Width);      // (N, C)
        for (var layer = 0; layer < _blocks.Length; layer++)
        {
            using var scope = NewDisposeScope();
            var block = _blocks[layer];
            var attention = attend(layer, block.Attention.Of(block.AttentionNorm.Of(x)));   // (N, 3C) -> (N, C)
            x = block.Projection.Of(attention).add_(x);                                     // (N, C)
            var inner = gelu(block.Inner.Of(block.InnerNorm.Of(x)), Gelu.tanh);             // (N, 4C)
            x = block.Outer.Of(inner).add_(x).MoveToOuterDisposeScope();                    // (N, C)
        }

        return _finalNorm.Of(x);
    }

    // (1, T, T): 0 where the column's token may be seen, minus infinity where it comes later.
    private Tensor CausalMask(long T)
    {
        if (!_causalMasks.TryGetValue(T, out var mask))
        {
            using var scope = NewDisposeScope();
            mask = full([1, T, T], float.NegativeInfinity, device: Device).triu(1).DetachFromDisposeScope();
            _causalMasks[T] = mask;
        }

        return mask;
    }

    private Norm NormOf(string name) => new(_parameters[name + ".weight"], _parameters[name + ".bias"], Config);

    private Linear LinearOf(string name) => new(_parameters[name + ".weight"], _parameters[name + ".bias"]);

    private sealed record Block(Norm AttentionNorm, Linear Attention, Linear Projection, Norm InnerNorm, Linear Inner, Linear Outer);

    private sealed record Norm(Tensor Weight, Tensor Bias, GptConfig Config)
    {
        public Tensor Of(Tensor x) => layer_norm(x, [Config.Width], Weight, Bias, Config.LayerNormEpsilon);
    }

    private sealed record Linear(Tensor Weight, Tensor Bias)
    {
        public Tensor Of(Tensor x) => addmm(Bias, x, Weight);
    }
}
