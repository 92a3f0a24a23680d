using static TorchSharp.torch;

namespace Alt.Model.Network;

/// <summary>
/// The keys and values of the tokens that a fixed number of sequences have read so far, so that one more token costs one row.
/// Sequences come and go, each with a length of its own; nothing is padded.
/// </summary>
/// <remarks>Axes: S slots, P positions, A active sequences, H heads, G heads of keys and values, D head width.</remarks>
internal sealed class KeyValueCache : IDisposable
{
    private readonly DecoderConfig _config;
    private readonly Device _device;
    private readonly int _positions;
    private readonly Tensor[] _keys;        // per layer (S, P, GD)
    private readonly Tensor[] _values;      // per layer (S, P, GD)

    public KeyValueCache(DecoderConfig config, int slots, int positions, Device device, ScalarType type)
    {
        _config = config;
        _device = device;
        _positions = positions;
        _keys = NewLayers();
        _values = NewLayers();

        Tensor[] NewLayers() =>
            [.. Enumerable.Range(0, config.Layers).Select(_ => zeros([slots, positions, Width], type, device).DetachFromDisposeScope())];
    }

    private long Width => (long)_config.G * _config.D;

    /// <summary>Puts the keys and values of whole prompts into slots.</summary>
    /// <param name="qkv">Queries, keys and values of the prompts (B * T, (H + 2G) D).</param>
    /// <param name="slots">Which slots to fill, each with which of the B prompts.</param>
    public void Fill(int layer, Tensor qkv, long T, IReadOnlyList<(int Slot, int Row)> slots)
    {
        var slotIds = tensor([.. slots.Select(slot => (long)slot.Slot)], device: _device);
        var rows = tensor([.. slots.Select(slot => (long)slot.Row)], device: _device);
        var prompts = qkv.view(-1, T, qkv.shape[1]).index_select(0, rows);        // (slots, T, (H + 2G) D)
        var queries = qkv.shape[1] - 2 * Width;
        foreach (var (tokens, start) in new[] { (_keys[layer], queries), (_values[layer], queries + Width) })
        {
            tokens.narrow(1, 0, T).index_copy_(0, slotIds, prompts.narrow(2, start, Width));
        }
    }

    /// <summary>Adds the key and value of one token to each sequence and attends from its query to all that the sequence has.</summary>
    /// <param name="qkv">Query, key and value of the tokens (A, (H + 2G) D).</param>
    /// <param name="slots">Each sequence's slot, and the position of its token.</param>
    /// <returns>(A, HD)</returns>
    public Tensor Attend(int layer, Tensor qkv, (int Slot, int Position)[] slots)
    {
        long A = slots.Length, H = _config.Heads, G = _config.G, D = _config.D, P = slots.Max(slot => slot.Position) + 1;
        var rows = tensor([.. slots.Select(slot => (long)slot.Slot * _positions + slot.Position)], device: _device);
        _keys[layer].view(-1, Width).index_copy_(0, rows, qkv.narrow(1, H * D, Width));
        _values[layer].view(-1, Width).index_copy_(0, rows, qkv.narrow(1, H * D + Width, Width));

        var slotIds = tensor([.. slots.Select(slot => (long)slot.Slot)], device: _device);
        var positions = tensor([.. slots.Select(slot => (long)slot.Position)], device: _device);
        var later = arange(P, dtype: int64, device: _device).unsqueeze(0).gt(positions.unsqueeze(1));                       // (A, P)
        var q = qkv.narrow(1, 0, H * D).contiguous()
            .view(A, G, H / G, D);                                                  // (A, G, H / G, D)
        var k = _keys[layer].narrow(1, 0, P).index_select(0, slotIds).view(A, P, G, D).permute(0, 2, 3, 1);                  // (A, G, D, P)
        var v = _values[layer].narrow(1, 0, P).index_select(0, slotIds).view(A, P, G, D).transpose(1, 2);                    // (A, G, P, D)
        // Not matmul, which does the same: TorchSharp lets a native exception out of it end the process.
        var scores = q.view(A * G, H / G, D).bmm(k.reshape(A * G, D, P))
            .view(A, G, H / G, P) / Math.Sqrt(D);                // (A, G, H / G, P)
        var weights = scores.masked_fill_(later.view(A, 1, 1, P), float.NegativeInfinity)
            .softmax(-1);                      // (A, G, H / G, P)
        return weights.view(A * G, H / G, P).bmm(v.reshape(A * G, P, D)).view(A, H * D);                                    // (A, HD)
    }

    public void Dispose()
    {
        foreach (var tensor in _keys.Concat(_values))
        {
            tensor.Dispose();
        }
    }
}
