using Alt.Model.Checkpoints;
using static TorchSharp.torch;

namespace Alt.Model.Network;

public sealed partial class LanguageModel
{
    /// <summary>The linear layers' names, which are their weights' without <c>.weight</c>, in the order of names.</summary>
    internal IEnumerable<string> LinearNames => _linears.Keys;

    /// <summary>The adapters by the name of their layer.</summary>
    internal IEnumerable<KeyValuePair<string, LowRankAdapter>> Adapters =>
        _linears.Where(layer => layer.Value.Adapter is not null).Select(layer => KeyValuePair.Create(layer.Key, layer.Value.Adapter!));

    /// <summary>How wide a linear layer's output and input are.</summary>
    internal (long Output, long Input) LinearShape(string layer)
    {
        var linear = _linears[layer];
        var (rows, columns) = (linear.Weight.shape[0], linear.Weight.shape[1]);
        return linear.InputMajor ? (columns, rows) : (rows, columns);
    }

    /// <summary>
    /// Adds an adapter to a linear layer; the model owns it from then on. <see cref="Save"/> and <see cref="WeightsHash"/> count it in.
    /// </summary>
    internal void Adapt(string layer, LowRankAdapter adapter) => _linears[layer].Adapter = adapter;

    /// <summary>Makes the adapters part of the weights, and the model a plain one again.</summary>
    internal void MergeAdapters()
    {
        using var gradients = no_grad();
        foreach (var layer in _linears.Values.Where(layer => layer.Adapter is not null))
        {
            using var scope = NewDisposeScope();
            layer.Weight.detach().copy_(layer.Merged());
            layer.Adapter!.Dispose();
            layer.Adapter = null;
        }

        WeightsChanged();
    }

    /// <summary>What <see cref="Save"/> writes, in the model's order: the weights, each with its adapter added when it is read.</summary>
    private IEnumerable<TensorSource> Saved() => DecoderWeights.Of(Config).Select(weight =>
    {
        var (name, tensor) = (weight.Name, _parameters[weight.Name]);
        var layer = name.EndsWith(".weight", StringComparison.Ordinal) ? _linears.GetValueOrDefault(name[..^".weight".Length]) : null;
        return new TensorSource(name, tensor.dtype, tensor.shape, () => layer?.Adapter is null ? tensor : layer.Merged());
    });
}
