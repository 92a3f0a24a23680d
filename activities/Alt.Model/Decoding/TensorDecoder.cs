using Alt.Model.Network;
using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Decoding;

/// <summary>Decoding by libtorch's operators, on whatever device the model is.</summary>
/// <param name="slots">Most sequences at once.</param>
/// <param name="positions">Most tokens of a sequence.</param>
internal sealed class TensorDecoder(LanguageModel model, int slots, int positions) : IDecoder
{
    private readonly KeyValueCache _cache = new(model.Config, slots, positions, model.Device, model.ElementType);
    private Tensor? _logits;

    public int Slots => slots;

    public int Workers { get; } = Environment.ProcessorCount;

    public void Read(IReadOnlyList<int[]> inputs, ReadOnlySpan<(int Slot, int Input)> places)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var T = inputs.Max(input => input.Length);
        var ids = new long[inputs.Count * T];
        foreach (var (row, input) in inputs.Index())
        {
            for (var t = 0; t < input.Length; t++)
            {
                ids[row * T + t] = input[t];
            }
        }

        var slotRows = places.ToArray();
        var hidden = model.Prefill(tensor(ids, device: model.Device).view(inputs.Count, T), _cache, slotRows);      // (inputs * T, C)
        long[] ends = [.. slotRows.Select(place => (long)place.Input * T + inputs[place.Input].Length - 1)];
        Keep(hidden.index_select(0, tensor(ends, device: model.Device)));
    }

    public void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<(int Slot, int Position)> places)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var ids = new long[tokens.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = tokens[i];
        }

        Keep(model.Decode(ids, _cache, places.ToArray()));
    }

    public void ForEach(LogitsAction action)
    {
        var rows = _logits!;
        var count = (int)rows.shape[0];
        Parallel.For(0, Workers, worker =>
        {
            for (var row = worker; row < count; row += Workers)
            {
                var width = (int)rows.shape[1];
                action(row, worker, rows.Floats().Slice(row * width, width));
            }
        });
    }

    public void Release(int slot)
    {
        // The next sequence writes over it.
    }

    public void Dispose()
    {
        _cache.Dispose();
        _logits?.Dispose();
    }

    private void Keep(Tensor hidden)
    {
        _logits?.Dispose();
        _logits = model.Logits(hidden).to(float32).cpu().contiguous().DetachFromDisposeScope();
    }
}
