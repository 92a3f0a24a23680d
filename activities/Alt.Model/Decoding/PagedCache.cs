using Alt.Model.Network;
using static TorchSharp.torch;

namespace Alt.Model.Decoding;

/// <summary>
/// Keys and values of the sequences in work, in blocks of a few positions (Kwon et al., arXiv 2309.06180): a sequence takes a block when
/// it needs one, and the generations of one input share the blocks that the input fills. A half-precision model's are in half precision:
/// a step reads all of them, so that it waits for half as much.
/// </summary>
/// <remarks>Axes: L layers, S positions of a block, G heads of keys and values, D head width.</remarks>
internal sealed unsafe class PagedCache : IDisposable
{
    /// <summary>S; the lanes of the widest vectors.</summary>
    public const int BlockPositions = 16;

    // Blocks are cut from larger pieces of memory, which lie in huge pages: with small ones a step waits for address translations.
    private const long SlabBytes = 1L << 25;

    private readonly DecoderConfig _config;
    private readonly ScalarType _type;
    private readonly Block?[][] _tables;        // by slot, then by position / S
    private readonly Stack<Block> _free = new();
    private readonly List<Tensor> _slabs = [];

    /// <param name="weights">The type of the model's weights.</param>
    public PagedCache(DecoderConfig config, ScalarType weights, int slots, int positions)
    {
        (_config, _type) = (config, weights == bfloat16 ? bfloat16 : float32);
        _tables = [.. Enumerable.Range(0, slots).Select(_ => new Block?[Blocks(positions)])];
    }

    /// <summary>How many bytes a sequence takes that shares nothing.</summary>
    public static long BytesPerSequence(DecoderConfig config, ScalarType weights, int positions) =>
        Blocks(positions) * BlockElements(config) * ElementSize(weights);

    /// <summary>Whether keys and values are bfloat16 numbers, <see cref="ushort"/> to kernels; else they are single precision.</summary>
    public bool IsHalf => _type == bfloat16;

    /// <summary>Gives a slot the block of a position, where it has none yet.</summary>
    public void Reserve(int slot, int position)
    {
        ref var block = ref _tables[slot][position / BlockPositions];
        block ??= Take();
    }

    /// <summary>
    /// Gives a slot another slot's first positions. Full blocks are shared; the last is a copy, since both slots continue in it.
    /// </summary>
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
                _tables[to][i] = Take();
                Buffer.MemoryCopy((void*)block.Start, (void*)_tables[to][i]!.Start, BlockBytes, BlockBytes);
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

    /// <summary>A block's keys in one layer, by element (G, D, S).</summary>
    /// <typeparam name="T">What <see cref="IsHalf"/> says.</typeparam>
    public T* Keys<T>(int slot, int block, int layer)
        where T : unmanaged => Part<T>(slot, block, 2 * layer);

    /// <summary>A block's values in one layer, by position (G, S, D).</summary>
    /// <typeparam name="T">What <see cref="IsHalf"/> says.</typeparam>
    public T* Values<T>(int slot, int block, int layer)
        where T : unmanaged => Part<T>(slot, block, 2 * layer + 1);

    public void Dispose()
    {
        foreach (var slab in _slabs)
        {
            slab.Dispose();
        }
    }

    private long BlockBytes => BlockElements(_config) * ElementSize(_type);

    private static int Blocks(int positions) => (positions + BlockPositions - 1) / BlockPositions;

    private static long BlockElements(DecoderConfig config) => 2L * config.Layers * BlockPositions * config.G * config.D;

    private static int ElementSize(ScalarType weights) => weights == bfloat16 ? sizeof(ushort) : sizeof(float);

    private T* Part<T>(int slot, int block, int part)
        where T : unmanaged => (T*)_tables[slot][block]!.Start + (long)part * BlockPositions * _config.G * _config.D;

    private Block Take()
    {
        if (_free.Count == 0)
        {
            AddSlab();
        }

        var block = _free.Pop();
        block.Holders = 1;
        return block;
    }

    private void AddSlab()
    {
        var blocks = Math.Max(1, SlabBytes / BlockBytes);
        var slab = empty([blocks, BlockBytes], uint8).DetachFromDisposeScope();
        _slabs.Add(slab);
        var start = Rows.Of(slab).Start;
        for (var i = blocks - 1; i >= 0; i--)
        {
            _free.Push(new Block(start + (nint)(i * BlockBytes)));
        }
    }

    /// <param name="start">Keys and values of layer after layer, 2 L S G D numbers in all.</param>
    private sealed class Block(nint start)
    {
        public nint Start => start;
        public int Holders { get; set; }
    }
}
