using Alt.Model.Decoding;
using Alt.Model.Products;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Alt.Model.Network;

/// <summary>
/// A decoder-only transformer exactly as Hugging Face's of its <see cref="Architecture"/>, without dropout: GPT-2, GPT-J, GPT-NeoX and
/// Pythia, Llama, Qwen 2.
/// </summary>
/// <remarks>
/// Sequences are padded on the right, if at all: under the causal mask no token sees what follows it, so that padding needs no mask,
/// positions count from 0, and what the model computes at padding is never read.
/// Axes: B sequences, T positions, N = B * T rows, C width, H heads, G heads of keys and values, D head width, I inner width, V vocabulary.
/// </remarks>
public sealed partial class LanguageModel : IDisposable
{
    private readonly SortedDictionary<string, Tensor> _parameters;
    private readonly Block[] _blocks;
    private readonly Norm _finalNorm;
    private readonly RotaryTables? _rotary;
    private readonly Tensor _tokens;            // (V, C)
    private readonly Tensor? _positions;        // (P, C)
    private readonly Tensor _head;              // (V, C)
    private readonly Tensor? _headBias;         // (V)
    private readonly Dictionary<long, Tensor> _causalMasks = [];
    private readonly SortedDictionary<string, Linear> _linears = new(StringComparer.Ordinal);
    private PackedModel? _packed;

    private LanguageModel(DecoderConfig config, SortedDictionary<string, Tensor> parameters)
    {
        Config = config;
        _parameters = parameters;
        _tokens = parameters[DecoderWeights.TokenEmbedding(config)];
        _positions = DecoderWeights.PositionEmbedding(config) is { } positions ? parameters[positions] : null;
        _head = config.TiedHead ? _tokens : parameters[DecoderWeights.Head(config)];
        _headBias = parameters.GetValueOrDefault(DecoderWeights.HeadBias(config));
        _blocks = [.. Enumerable.Range(0, config.Layers).Select(layer => new Block(this, layer))];
        _finalNorm = NormOf(Names.Trunk + Names.FinalNorm);
        _rotary = config.Rotary is { } rotary ? new RotaryTables(rotary, config.Architecture.InterleavedRotary, Device) : null;
    }

    /// <summary>The model's shape.</summary>
    public DecoderConfig Config { get; }

    /// <summary>The weights by Hugging Face's names, sorted by name.</summary>
    public IReadOnlyDictionary<string, Tensor> Parameters => _parameters;

    /// <summary>Where the weights are.</summary>
    public Device Device => _tokens.device;

    /// <summary>What the weights and the residual stream are held in.</summary>
    public ScalarType ElementType => _tokens.dtype;

    /// <summary>The output layer's matrix (V, C), which may be the token embedding, and its bias (V).</summary>
    internal (Tensor Weight, Tensor? Bias) Head => (_head, _headBias);

    private WeightNames Names => Config.Architecture.Weights;

    /// <summary>The residual stream after the last block and norm, of every token.</summary>
    /// <param name="ids">Token ids (B, T), padded on the right with any id.</param>
    /// <param name="observe">Gets the residual stream (N, C) before the first block and after each but the last.</param>
    /// <returns>(N, C)</returns>
    public Tensor Hidden(Tensor ids, Action<Tensor>? observe = null)
    {
        var (places, attend) = Whole(ids);
        return Hidden(Embedded(_tokens.Embed(ids), places), ids, places, attend, observe);
    }

    /// <summary>The next-token logits at rows of <see cref="Hidden(Tensor, Action{Tensor})"/>.</summary>
    /// <param name="hidden">(R, C)</param>
    /// <returns>(R, V)</returns>
    public Tensor Logits(Tensor hidden) =>
        Product.Takes(_head) ? LinearFunction.Forward(hidden, new(_head, _headBias, InputMajor: false))
        : _headBias is null ? hidden.mm(_head.t()) : linear(hidden, _head, _headBias);

    /// <summary>Reads whole prompts and keeps their keys and values.</summary>
    /// <param name="ids">Token ids (B, T), padded on the right.</param>
    /// <param name="slots">For each of the cache's places to fill: the place, and which of the B prompts to put there.</param>
    /// <returns>(N, C), as <see cref="Hidden(Tensor, Action{Tensor})"/>.</returns>
    internal Tensor Prefill(Tensor ids, KeyValueCache cache, IReadOnlyList<(int Slot, int Row)> slots)
    {
        var (B, T) = (ids.shape[0], ids.shape[1]);
        var places = First(T);
        return Hidden(Embedded(_tokens.Embed(ids), places), ids, places, (layer, qkv) =>
        {
            cache.Fill(layer, qkv, T, slots);
            return Attended(qkv, B, T);
        });
    }

    /// <summary>Reads one more token of each of A sequences.</summary>
    /// <param name="tokens">The token of each sequence (A).</param>
    /// <param name="slots">Where the cache holds each sequence, and the token's position in it.</param>
    /// <returns>(A, C)</returns>
    internal Tensor Decode(long[] tokens, KeyValueCache cache, (int Slot, int Position)[] slots)
    {
        var ids = tensor(tokens, device: Device).unsqueeze(1);                                                      // (A, 1)
        var positions = tensor([.. slots.Select(slot => (long)slot.Position)], device: Device);                     // (A)
        var places = new Places(
            _positions is { } learned ? learned.Embed(positions).unsqueeze(1) : null,                   // (A, 1, C)
            _rotary?.At(positions, slots.Max(slot => slot.Position)));
        return Hidden(Embedded(_tokens.Embed(ids), places), ids, places, (layer, qkv) => cache.Attend(layer, qkv, slots));
    }

    /// <summary>
    /// The weights for decoding on a processor, made again after <see cref="WeightsChanged"/>; a caller reading them longer than the model
    /// keeps them holds them.
    /// </summary>
    internal PackedModel Packed() => _packed ??= new PackedModel(this);

    /// <summary>Code that changes a weight must call this.</summary>
    internal void WeightsChanged()
    {
        _packed?.Release();
        _packed = null;
    }

    public void Dispose()
    {
        WeightsChanged();
        foreach (var tensor in _parameters.Values.Concat(_causalMasks.Values))
        {
            tensor.Dispose();
        }

        foreach (var (_, adapter) in Adapters)
        {
            adapter.Dispose();
        }

        _rotary?.Dispose();
    }

    // Sequences from their first token to their last.
    private (Places Places, Func<int, Tensor, Tensor> Attend) Whole(Tensor ids)
    {
        var (B, T) = (ids.shape[0], ids.shape[1]);
        return (First(T), (_, qkv) => Attended(qkv, B, T));
    }

    private Tensor Attended(Tensor qkv, long B, long T) => Product.Takes(qkv)
        ? CausalAttention.Forward(qkv, B, T, Config.Heads, Config.G)
        : SelfAttention.Forward(qkv, B, T, Config.Heads, Config.G, CausalMask(T));               // (N, HD)

    // From the embedded tokens (N, C).
    private Tensor Hidden(Tensor x, Tensor ids, Places places, Func<int, Tensor, Tensor> attend, Action<Tensor>? observe = null)
    {
        for (var layer = 0; layer < _blocks.Length; layer++)
        {
            observe?.Invoke(x);
            using var scope = NewDisposeScope();
            x = Layer(layer, x, ids, places, attend).MoveToOuterDisposeScope();
        }

        return _finalNorm.Forward(x);
    }

    // Tokens (B, T, C) with what their positions add (N, C).
    private Tensor Embedded(Tensor tokens, Places places) =>
        (places.Embedding is { } learned ? tokens + learned : tokens).view(-1, Config.Width);

    private Tensor Layer(int layer, Tensor x, Tensor ids, Places places, Func<int, Tensor, Tensor> attend) =>
        _blocks[layer].Forward(x, qkv => attend(layer, places.Rotary is { } rows ? Turned(qkv, ids.shape[0], ids.shape[1], rows) : qkv));

    // Queries and keys by their positions; values as they are.
    private Tensor Turned(Tensor qkv, long B, long T, (Tensor Cosines, Tensor Sines) rows)
    {
        long turning = Config.Heads + Config.G, D = Config.D;
        var heads = qkv.view(B, T, turning + Config.G, D);                          // (B, T, H + 2G, D)
        return cat([_rotary!.Turn(heads.narrow(2, 0, turning), rows), heads.narrow(2, turning, Config.G)], 2).view(B * T, -1);
    }

    private Places First(long T) => new(_positions?.narrow(0, 0, T), _rotary?.First(T));

    // (1, T, T): 0 where the column's token may be seen, minus infinity where it comes later.
    private Tensor CausalMask(long T)
    {
        if (!_causalMasks.TryGetValue(T, out var mask))
        {
            using var scope = NewDisposeScope();
            mask = full([1, T, T], float.NegativeInfinity, device: Device).triu(1).to(ElementType).DetachFromDisposeScope();
            _causalMasks[T] = mask;
        }

        return mask;
    }

    private Norm NormOf(string name) => new(_parameters[name + ".weight"], _parameters.GetValueOrDefault(name + ".bias"), Config);

    private Linear LinearOf(string name) =>
        _linears[name] = new(_parameters[name + ".weight"], _parameters.GetValueOrDefault(name + ".bias"), Config.Architecture.InputMajor);

    // What the tokens' positions add or turn: learned embeddings (T, C) or (A, 1, C), and the rotary tables' rows.
    private readonly record struct Places(Tensor? Embedding, (Tensor Cosines, Tensor Sines)? Rotary);
}
