using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Activities.Model.Decoding;

/// <summary>
/// Keys and values of the sequences in work, in blocks of a few positions (Kwon et al., arXiv 2309.06180): a sequence takes a block when
/// it comes to it, and the generations of one input share the blocks that the input fills.
/// </summary>
/// <remarks>Axes: L layers, S positions of a block, G heads of keys and values, D head width.</remarks>
internal sealed unsafe class PagedCache : IDisposable
{
    /// <summary>S; the lanes of the widest vectors.</summary>
    public const int BlockPositions = 16;

    private readonly DecoderConfig _config;
    private readonly Block?[][] _tables;        // by slot, then by position / S
    private readonly Stack<Block> _free = new();
    private readonly List<Block> _all = [];

    public PagedCache(DecoderConfig config, int slots, int positions)
    {
        _config = config;
        _tables = [.. Enumerable.Range(0, slots).Select(_ => new Block?[Blocks(positions)])];
    }

    /// <summary>How many bytes a sequence takes that shares nothing.</summary>
    public static long BytesPerSequence(DecoderConfig config, int positions) => Blocks(positions) * BlockElements(config) * sizeof(float);

    /// <summary>Gives a slot the block of a position, where it has none yet.</summary>
    public void Reserve(int slot, int position)
    {
        ref var block = ref _tables[slot][position / BlockPositions];
        block ??= Take();
    }

    /// <summary>Gives a slot what another has of its first positions. Blocks that are full are the same; the last is a copy, since both go on in it.</summary>
    public void Share(int from, int to, int length)
    {
        for (var i = 0; i < Blocks(length); i++)
        {
            var block = _tables[from][i]!;
            if ((i + 1) * BlockPositions <= length)
            {
                block.Holders++;
                _tables[to][i] = block;
            }
            else
            {
                using var scope = NewDisposeScope();
                _tables[to][i] = Take();
                _tables[to][i]!.Memory.copy_(block.Memory);
            }
        }
    }

    public void Release(int slot)
    {
        foreach (ref var block in _tables[slot].AsSpan())
        {
            if (block is not null && --block.Holders == 0)
            {
                _free.Push(block);
            }

            block = null;
        }
    }

    /// <summary>A block's keys in one layer, by element (GD, S).</summary>
    public float* Keys(int slot, int block, int layer) => Part(slot, block, 2 * layer);

    /// <summary>A block's values in one layer, by position (S, GD).</summary>
    public float* Values(int slot, int block, int layer) => Part(slot, block, 2 * layer + 1);

    public void Dispose()
    {
        foreach (var block in _all)
        {
            block.Memory.Dispose();
        }
    }

    private static int Blocks(int positions) => (positions + BlockPositions - 1) / BlockPositions;

    private static long BlockElements(DecoderConfig config) => 2L * config.Layers * BlockPositions * config.G * config.D;

    private float* Part(int slot, int block, int part) => (float*)_tables[slot][block]!.Start + (long)part * BlockPositions * _config.G * _config.D;

    private Block Take()
    {
        if (!_free.TryPop(out var block))
        {
            using var scope = NewDisposeScope();
            block = new Block(empty([2L * _config.Layers * BlockPositions, _config.G * _config.D]).DetachFromDisposeScope());
            _all.Add(block);
        }

        block.Holders = 1;
        return block;
    }

    private sealed class Block(Tensor memory)
    {
        public Tensor Memory => memory;        // keys and values of layer after layer, 2 L S G D in all
        public nint Start { get; } = Rows.Of(memory).Start;
        public int Holders { get; set; }
    }
}
