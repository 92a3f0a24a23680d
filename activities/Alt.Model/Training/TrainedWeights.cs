using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Network;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Model.Training;

/// <summary>
/// Which of a policy's weights are trained, and what the passes compute with: the policy itself, or in half precision a copy of it. The
/// policy's own weights are the optimiser's, always in single precision.
/// </summary>
internal sealed class TrainedWeights : IDisposable
{
    private const string AdapterFileName = "adapter.safetensors";

    private readonly LanguageModel _policy;
    private readonly TrainerOptions _options;
    private readonly SortedDictionary<string, Tensor> _masters = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Tensor> _working = new(StringComparer.Ordinal);

    /// <exception cref="InputException">A target of LoRA is no layer, or there are fewer layers than are to be frozen.</exception>
    public TrainedWeights(LanguageModel policy, TrainerOptions options)
    {
        if (options.FreezeLayers > policy.Config.Layers)
        {
            throw new InputException(
                $"training.freezeLayers is {options.FreezeLayers}, expected at most the model's {policy.Config.Layers} layers");
        }

        if (policy.ElementType != float32)
        {
            throw new InputException(
                $"the weights to train are {policy.ElementType}, expected single precision: training.precision says what to compute in");
        }

        if (options.Precision == TrainingPrecision.Float16 && policy.Device.type == DeviceType.CPU)
        {
            throw new InputException(
                "training.precision is float16, which processors do not compute in: expected float32 or bfloat16, or a GPU");
        }

        (_policy, _options) = (policy, options);
        var targets = options.Lora is { } lora ? Targets(lora) : [];
        var type = options.Precision switch { TrainingPrecision.Bfloat16 => bfloat16, TrainingPrecision.Float16 => float16, _ => float32 };
        Working = type == float32 ? policy : policy.Copy(type);
        foreach (var (ordinal, layer) in targets.Index().Where(target => !IsFrozen(target.Item, options.FreezeLayers)))
        {
            Adapt(layer, options.Lora!, new RandomKey(options.Seed, options.Iteration, Stage.Training, Prompt: ordinal, K: 1));
        }

        if (options.Lora is null)
        {
            foreach (var (name, weight) in policy.Parameters.Where(weight => !IsFrozen(weight.Key, options.FreezeLayers)))
            {
                _masters[name] = weight;
                _working[name] = Working.Parameters[name];
            }
        }

        if (_working.Count == 0)
        {
            throw new InputException(
                $"training.freezeLayers {options.FreezeLayers} leaves no weight of training.lora.targets to train; expected fewer frozen "
                + "layers, or other targets");
        }

        foreach (var weight in _working.Values)
        {
            weight.requires_grad = true;
        }
    }

    /// <summary>What the passes compute with.</summary>
    public LanguageModel Working { get; }

    /// <summary>The weights that the optimiser changes, by name; single precision.</summary>
    public IReadOnlyDictionary<string, Tensor> Masters => _masters;

    /// <summary>The gradients of the last backward passes, by the weights' names; of the working copy's type.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Gradients => _working.Select(weight =>
        KeyValuePair.Create(weight.Key, weight.Value.grad ?? throw new InvalidOperationException($"{weight.Key} has no gradient")));

    public void ClearGradients()
    {
        foreach (var weight in _working.Values)
        {
            weight.grad = null;
        }
    }

    /// <summary>Copies the changed weights into the weights that the passes compute with.</summary>
    public void Publish()
    {
        _policy.WeightsChanged();
        if (Working != _policy)
        {
            using var gradients = no_grad();
            foreach (var (name, weight) in _working)
            {
                using var scope = NewDisposeScope();
                weight.detach().copy_(_masters[name]);
            }
        }
    }

    /// <summary>Writes what the merged weights do not say: the adapters and what is under them.</summary>
    /// <param name="ended">
    /// Whether the training has ended: then the adapters are written for PEFT too, which takes the embedding along.
    /// </param>
    public void SaveAdapters(string folder, bool ended)
    {
        if (_options.Lora is { } lora)
        {
            SafetensorsWriter.Write(
                Path.Combine(folder, AdapterFileName), _masters.Concat(_policy.Adapters.Select(adapter =>
                    KeyValuePair.Create(adapter.Key + ".weight", _policy.Parameters[adapter.Key + ".weight"]))));
            if (ended)
            {
                PeftAdapter.Write(folder, _policy, lora, _options.FreezeLayers);
            }
        }
    }

    /// <summary>
    /// Loads the adapters that <see cref="SaveAdapters"/> wrote, in place of those drawn at the start, and the weights under them in place
    /// of the merged ones.
    /// </summary>
    /// <remarks>A training of the whole weights left no adapters to load.</remarks>
    /// <exception cref="InputException">The file is damaged.</exception>
    public void RestoreAdapters(string folder)
    {
        var path = Path.Combine(folder, AdapterFileName);
        if (!_policy.Adapters.Any() || !File.Exists(path))
        {
            return;
        }

        using var gradients = no_grad();
        using var file = SafetensorsFile.Open(path);
        foreach (var layer in _policy.Adapters.Select(adapter => adapter.Key + ".weight"))
        {
            Take(layer, _policy.Parameters[layer]);
            if (Working != _policy)
            {
                Working.Parameters[layer].detach().copy_(_policy.Parameters[layer]);
            }
        }

        foreach (var (name, weight) in _masters)
        {
            Take(name, weight);
        }

        Publish();

        void Take(string name, Tensor weight)
        {
            using var scope = NewDisposeScope();
            weight.detach().copy_(file.Read(name));
        }
    }

    /// <summary>Leaves the policy a plain model with the trained weights.</summary>
    public void Dispose()
    {
        ClearGradients();
        foreach (var weight in _working.Values)
        {
            weight.requires_grad = false;
        }

        _policy.MergeAdapters();
        if (Working != _policy)
        {
            Working.Dispose();
        }
    }

    private List<string> Targets(LoraConfig lora)
    {
        var layers = _policy.LinearNames.ToLookup(layer => layer[(layer.LastIndexOf('.') + 1)..]);
        return lora.Targets.FirstOrDefault(target => !layers.Contains(target)) is { } missing
            ? throw new InputException(
                $"training.lora.targets holds {missing}, expected names of the model's layers: "
                + $"{string.Join(", ", layers.Select(layer => layer.Key).Order(StringComparer.Ordinal))}")
            : [.. lora.Targets.SelectMany(target => layers[target]).Order(StringComparer.Ordinal)];
    }

    // A is drawn so that x A^T is about as large as x; B is 0, so that the adapted model starts as the plain one.
    private void Adapt(string layer, LoraConfig lora, RandomKey key)
    {
        var (output, input) = _policy.LinearShape(layer);
        using var scope = NewDisposeScope();
        var values = new float[lora.Rank * input];
        Philox.FillNormal(key, values, deviation: 1 / Math.Sqrt(input));
        var (a, b) = (tensor(values).view(lora.Rank, input).to(_policy.Device), zeros([output, lora.Rank], device: _policy.Device));
        Add(_policy, _masters);
        if (Working == _policy)
        {
            (_working[layer + ".lora_A.weight"], _working[layer + ".lora_B.weight"]) =
                (_masters[layer + ".lora_A.weight"], _masters[layer + ".lora_B.weight"]);
        }
        else
        {
            Add(Working, _working);
        }

        void Add(LanguageModel model, SortedDictionary<string, Tensor> weights)
        {
            var adapter = new LowRankAdapter(Own(a), Own(b), lora.Alpha / lora.Rank);
            model.Adapt(layer, adapter);
            (weights[layer + ".lora_A.weight"], weights[layer + ".lora_B.weight"]) = (adapter.A, adapter.B);

            Tensor Own(Tensor drawn) => drawn.clone().to(model.ElementType).DetachFromDisposeScope();
        }
    }

    // The first layers, and the embeddings under them.
    private bool IsFrozen(string name, int layers)
    {
        var config = _policy.Config;
        return layers > 0
            && (name == DecoderWeights.TokenEmbedding(config) || name == DecoderWeights.PositionEmbedding(config)
                || Enumerable.Range(0, layers).Any(layer =>
                    name.StartsWith(DecoderWeights.Block(config, layer), StringComparison.Ordinal)));
    }
}
