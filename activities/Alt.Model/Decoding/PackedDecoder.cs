using System.Runtime.InteropServices;
using Alt.Model.Network;
using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Decoding;

/// <summary>
/// Decoding on a processor. Rows are tokens of any sequences, whole inputs and single steps alike; nothing is padded.
/// What a row computes depends on its own sequence alone: in single precision to the bit, so that neither the batch nor the number of cores
/// changes a generation; in bfloat16 up to the rounding of <see cref="HalfMatrix"/>.
/// </summary>
/// <remarks>Axes: R rows, A places, C width, H heads, G heads of keys and values, D head width, I inner width, V vocabulary.</remarks>
internal sealed unsafe class PackedDecoder : IDecoder
{
    /// <summary>Long inputs are read this many tokens at a time.</summary>
    public const int RowsPerPass = 512;

    private readonly DecoderConfig _config;
    private readonly PackedModel _weights;
    private readonly PagedCache _cache;
    private readonly WorkerTeam _team;
    private readonly List<Tensor> _buffers = [];
    private readonly Rows _x, _normed, _innerNormed, _qkv, _attended, _inner, _ends, _logits;
    private readonly float[][] _scores;         // by worker
    private readonly int[] _slots, _positions;  // by row
    private readonly Action<int> _read, _finish, _look;
    private readonly float[] _cosines, _sines;  // (P, r / 2)
    private LogitsAction? _action;
    private int _rows;

    /// <param name="slots">Most sequences at once.</param>
    /// <param name="positions">Most tokens of a sequence.</param>
    /// <param name="threads">How many threads compute; null is one per core.</param>
    public PackedDecoder(LanguageModel model, int slots, int positions, int? threads = null)
    {
        using var scope = NewDisposeScope();
        (_config, _weights) = (model.Config, model.Packed());
        Slots = slots;
        _cache = new PagedCache(_config, model.ElementType, slots, positions);
        var rows = Math.Max(slots, Math.Min(RowsPerPass, slots * positions));
        (_slots, _positions) = (new int[rows], new int[rows]);
        _scores = [.. Enumerable.Range(0, threads ?? Environment.ProcessorCount)
            .Select(_ => new float[(positions + PagedCache.BlockPositions - 1) / PagedCache.BlockPositions * PagedCache.BlockPositions])];
        (_read, _finish, _look) = (ReadRows, Finish, Look);

        (_cosines, _sines) = _config.Rotary?.Table(positions) ?? ([], []);
        _x = Buffer(_config.Width);                                                             // (R, C)
        _normed = Buffer(_config.Width);                                                        // (R, C)
        _innerNormed = _config.Architecture.Residual == Residual.ParallelOneNorm ? _normed : Buffer(_config.Width);
        _qkv = Buffer((_config.Heads + 2 * _config.G) * _config.D);                             // (R, (H + 2G) D)
        _attended = Buffer(_config.Heads * _config.D);                                          // (R, HD)
        _inner = Buffer(_config.InnerWidth * _config.Architecture.Weights.Inner.Length);        // (R, I), or with SwiGLU (R, 2I)
        _ends = Buffer(_config.Width);                                                          // (A, C)
        _logits = Buffer(_config.Vocabulary, slots);                                            // (A, V)
        // Its threads wait for work until it is disposed.
        _team = new WorkerTeam(_scores.Length);
        // Only now that everything is allocated: an earlier failure for lack of memory leaves nothing behind.
        _buffers.ForEach(buffer => buffer.DetachFromDisposeScope());
        _weights.Hold();

        Rows Buffer(int width, int? count = null)
        {
            _buffers.Add(zeros([count ?? rows, width]));
            return Rows.Of(_buffers[^1]);
        }
    }

    public int Slots { get; }

    public int Workers => _team.Size;

    public void Read(IReadOnlyList<int[]> inputs, ReadOnlySpan<(int Slot, int Input)> places)
    {
        // The first place of each input reads it; the others share what it has read.
        var readers = new int[inputs.Count];
        Array.Fill(readers, -1);
        foreach (var (slot, input) in places)
        {
            readers[input] = readers[input] < 0 ? slot : readers[input];
        }

        var tokens = new List<int>(_slots.Length);
        var ends = new List<(int Row, int Input)>();
        for (var input = 0; input < inputs.Count; input++)
        {
            for (var t = 0; t < inputs[input].Length; t++)
            {
                Add(tokens, inputs[input][t], readers[input], t);
                if (t == inputs[input].Length - 1)
                {
                    ends.Add((tokens.Count - 1, input));
                }

                if (tokens.Count == _slots.Length || (t == inputs[input].Length - 1 && input == inputs.Count - 1))
                {
                    Pass(CollectionsMarshal.AsSpan(tokens));
                    foreach (var (row, ended) in ends)
                    {
                        _x.Span(row).CopyTo(_ends.Span(ended));
                    }

                    tokens.Clear();
                    ends.Clear();
                }
            }
        }

        foreach (var (slot, input) in places)
        {
            if (slot != readers[input])
            {
                _cache.Share(readers[input], slot, inputs[input].Length);
            }
        }

        for (var place = 0; place < places.Length; place++)
        {
            _ends.Span(places[place].Input).CopyTo(_x.Span(place));
        }

        _rows = places.Length;
        _team.Run(_finish);
    }

    public void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<(int Slot, int Position)> places)
    {
        for (var row = 0; row < places.Length; row++)
        {
            (_slots[row], _positions[row]) = places[row];
            _cache.Reserve(places[row].Slot, places[row].Position);
        }

        Pass(tokens);
        _team.Run(_finish);
    }

    public void ForEach(LogitsAction action)
    {
        _action = action;
        _team.Run(_look);
    }

    public void Release(int slot) => _cache.Release(slot);

    public void Dispose()
    {
        _team.Dispose();
        _weights.Release();
        _cache.Dispose();
        foreach (var buffer in _buffers)
        {
            buffer.Dispose();
        }
    }

    private void Add(List<int> tokens, int token, int slot, int position)
    {
        (_slots[tokens.Count], _positions[tokens.Count]) = (slot, position);
        _cache.Reserve(slot, position);
        tokens.Add(token);
    }

    private void Pass(ReadOnlySpan<int> tokens)
    {
        for (var row = 0; row < tokens.Length; row++)
        {
            _weights.Tokens.Read(tokens[row], _x.Span(row));
            _weights.Positions?.Add(_positions[row], _x.Span(row));
        }

        _rows = tokens.Length;
        _team.Run(_read);
    }

    private void ReadRows(int worker)
    {
        var residual = _config.Architecture.Residual;
        var activation = _config.Architecture.Activation;
        for (var layer = 0; layer < _weights.Blocks.Length; layer++)
        {
            var block = _weights.Blocks[layer];
            while (_team.Take(_rows, out var row))
            {
                block.AttentionNorm.Of(_x.Span(row), _normed.Span(row));
                if (residual == Residual.Parallel)
                {
                    block.InnerNorm.Of(_x.Span(row), _innerNormed.Span(row));
                }
            }

            _team.Sync();
            block.Attention.Multiply(_team, _normed, _rows, _qkv, Epilogue.Store);
            _team.Sync();
            while (_team.Take(_rows, out var row))
            {
                Place(layer, row);
            }

            _team.Sync();
            while (_team.Take(_rows, out var row))
            {
                Attend(layer, row, _scores[worker]);
            }

            _team.Sync();
            block.Projection.Multiply(_team, _attended, _rows, _x, Epilogue.Add);
            _team.Sync();
            if (residual == Residual.Sequential)
            {
                while (_team.Take(_rows, out var row))
                {
                    block.InnerNorm.Of(_x.Span(row), _innerNormed.Span(row));
                }

                _team.Sync();
            }

            block.Inner.Multiply(_team, _innerNormed, _rows, _inner, activation switch
            {
                Activation.GeluTanh => Epilogue.GeluTanh,
                Activation.Gelu => Epilogue.Gelu,
                _ => Epilogue.Store,
            });
            _team.Sync();
            if (activation == Activation.SwiGlu)
            {
                while (_team.Take(_rows, out var row))
                {
                    var both = _inner.Span(row);
                    RowKernels.Gate(both[.._config.InnerWidth], both[_config.InnerWidth..]);
                }

                _team.Sync();
            }

            block.Outer.Multiply(_team, _inner, _rows, _x, Epilogue.Add);
            _team.Sync();
        }
    }

    // Queries and keys are turned by their position, keys and values go into the cache.
    private void Place(int layer, int row)
    {
        var (slot, position, D) = (_slots[row], _positions[row], _config.D);
        var qkv = _qkv.Span(row);
        if (_config.Rotary is { } rotary)
        {
            var pairs = rotary.Width / 2;
            for (var head = 0; head < _config.Heads + _config.G; head++)
            {
                RowKernels.Turn(
                    qkv.Slice(head * D, D), _cosines.AsSpan(position * pairs, pairs), _sines.AsSpan(position * pairs, pairs),
                    _config.Architecture.InterleavedRotary);
            }
        }

        if (_cache.IsHalf)
        {
            Span<ushort> keysAndValues = stackalloc ushort[2 * _config.G * D];
            RowKernels.Narrow(qkv[(_config.Heads * D)..], keysAndValues);
            Keep<ushort>(layer, slot, position, keysAndValues);
        }
        else
        {
            Keep<float>(layer, slot, position, qkv[(_config.Heads * D)..]);
        }
    }

    // (2GD)
    private void Keep<T>(int layer, int slot, int position, ReadOnlySpan<T> keysAndValues)
        where T : unmanaged
    {
        var (block, within) = Math.DivRem(position, PagedCache.BlockPositions);
        var keys = _cache.Keys<T>(slot, block, layer);
        var values = _cache.Values<T>(slot, block, layer);
        var (width, D) = (_config.G * _config.D, _config.D);
        for (var i = 0; i < width; i++)
        {
            keys[i * PagedCache.BlockPositions + within] = keysAndValues[i];
        }

        for (var head = 0; head < _config.G; head++)
        {
            keysAndValues.Slice(width + head * D, D).CopyTo(new Span<T>(values + (head * PagedCache.BlockPositions + within) * D, D));
        }
    }

    private void Attend(int layer, int row, float[] scores)
    {
        if (_cache.IsHalf)
        {
            Attend<ushort>(layer, row, scores);
        }
        else
        {
            Attend<float>(layer, row, scores);
        }
    }

    private void Attend<T>(int layer, int row, float[] scores)
        where T : unmanaged
    {
        var (slot, count, D) = (_slots[row], _positions[row] + 1, _config.D);
        var blocks = (count + PagedCache.BlockPositions - 1) / PagedCache.BlockPositions;
        var scale = 1 / MathF.Sqrt(D);
        _attended.Span(row).Clear();
        fixed (float* seen = scores)
        {
            for (var head = 0; head < _config.Heads; head++)
            {
                var shared = head / (_config.Heads / _config.G) * D * PagedCache.BlockPositions;
                for (var block = 0; block < blocks; block++)
                {
                    PagedAttention.Scores(
                        _qkv[row] + head * D, _cache.Keys<T>(slot, block, layer) + shared, D, scale,
                        seen + block * PagedCache.BlockPositions);
                }

                RowKernels.Softmax(scores.AsSpan(0, blocks * PagedCache.BlockPositions), count);
                for (var block = 0; block < blocks; block++)
                {
                    var first = block * PagedCache.BlockPositions;
                    PagedAttention.AddValues(
                        seen + first, _cache.Values<T>(slot, block, layer) + shared, Math.Min(count - first, PagedCache.BlockPositions), D,
                        _attended[row] + head * D);
                }
            }
        }
    }

    private void Finish(int worker)
    {
        while (_team.Take(_rows, out var row))
        {
            _weights.FinalNorm.Of(_x.Span(row), _normed.Span(row));
        }

        _team.Sync();
        _weights.Head.Multiply(_team, _normed, _rows, _logits, Epilogue.Store);
    }

    private void Look(int worker)
    {
        while (_team.Take(_rows, out var row))
        {
            _action!(row, worker, _logits.Span(row));
        }
    }
}
