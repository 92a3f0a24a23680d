using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Network;

/// <summary>How new rows of the token embedding start.</summary>
public enum NewTokens
{
    /// <summary>As the end-of-text token's row.</summary>
    CopyEndOfText,

    /// <summary>Normal, with each column's mean and deviation over the existing rows.</summary>
    Normal,
}

public sealed partial class LanguageModel
{
    // The stream of a model's first weights; no iteration of a run has this number.
    private const int CreationIteration = -1;

    /// <summary>A new model, its weights drawn as Hugging Face draws them: normal, but 0 for biases and 1 for norms.</summary>
    /// <param name="type">The weights' element type; single precision where it is null.</param>
    public static LanguageModel Create(DecoderConfig config, long seed, Device? device = null, ScalarType? type = null)
    {
        var ordinal = 0;
        return Build(config, device, type, weight =>
        {
            var values = zeros(weight.Shape);
            var key = new RandomKey(seed, CreationIteration, Stage.Training, Prompt: ordinal++);
            switch (weight.Role)
            {
                case WeightRole.Norm:
                    return values.fill_(1);
                case WeightRole.Matrix or WeightRole.ResidualMatrix:
                    // GPT-2 scales down what is added to the residual stream, so that depth does not make it grow.
                    var scale = weight.Role == WeightRole.ResidualMatrix && config.Architecture == Architecture.Gpt2
                        ? 1 / Math.Sqrt(2 * config.Layers)
                        : 1;
                    Philox.FillNormal(key, values.Floats(), deviation: config.InitializerRange * scale);
                    return values;
                default:
                    return values;
            }
        });
    }

    /// <summary>
    /// Reads a checkpoint folder (<c>config.json</c> and the weights) as transformers writes it, with or without the names' prefix.
    /// </summary>
    /// <param name="type">The element type to compute in, whatever the file's; single precision where it is null.</param>
    /// <exception cref="InputException">
    /// A file is missing or damaged, or a tensor is missing or of another shape than the config says.
    /// </exception>
    public static LanguageModel Load(string folder, Device? device = null, ScalarType? type = null) =>
        Load(DecoderConfig.Load(folder), folder, device, type);

    /// <summary>The same without an output layer, for models that have another head in its place; do not ask it for logits.</summary>
    /// <inheritdoc cref="Load(string, Device?, ScalarType?)"/>
    internal static LanguageModel LoadTrunk(string folder, Device? device = null, ScalarType? type = null) =>
        Load(DecoderConfig.Load(folder) with { TiedHead = true }, folder, device, type);

    private static LanguageModel Load(DecoderConfig config, string folder, Device? device, ScalarType? type)
    {
        using var weights = new CheckpointWeights(folder, config.Architecture.Weights.Trunk);
        return Build(config, device, type, weight => weights.Read(weight.Name, weight.Shape));
    }

    /// <summary>Writes the checkpoint into a folder, which is created where it does not exist.</summary>
    /// <param name="largestFile">How many bytes of weights one file holds at most; more are written in several, with an index.</param>
    public void Save(string folder, long largestFile = long.MaxValue)
    {
        Directory.CreateDirectory(folder);
        Config.Save(folder, ElementType switch { ScalarType.BFloat16 => "bfloat16", ScalarType.Float16 => "float16", _ => "float32" });
        using var gradients = no_grad();
        WeightShards.Write(folder, Saved(), largestFile);
    }

    /// <summary>
    /// SHA-256, in lower-case hexadecimal, of the <c>model.safetensors</c> that <see cref="Save"/> writes where one file holds all.
    /// </summary>
    public string WeightsHash()
    {
        using var gradients = no_grad();
        return SafetensorsWriter.HashInTurn(Saved());
    }

    /// <summary>A model with the same weights in its own memory.</summary>
    /// <param name="type">The copy's element type; this one's where it is null.</param>
    public LanguageModel Copy(ScalarType? type = null) => Build(Config, Device, type ?? ElementType, weight =>
        _parameters[weight.Name].detach().clone());

    /// <summary>
    /// A copy with room for more tokens: the known ones' rows stay, the new ones start as asked. A row that the vocabulary has to spare is
    /// used first.
    /// </summary>
    /// <param name="known">How many tokens the tokenizer had: many models have more rows than that.</param>
    /// <param name="tokens">How many it has now, at least the former.</param>
    /// <param name="seed">Draws the new rows where they are drawn.</param>
    public LanguageModel AddTokens(int known, int tokens, NewTokens start, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(known, Config.Vocabulary);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, known);
        var grown = Config with { Vocabulary = Math.Max(tokens, Config.Vocabulary) };
        var byToken = DecoderWeights.ByToken(Config);
        return Build(grown, Device, ElementType, weight =>
        {
            var old = _parameters[weight.Name].detach();
            if (!byToken.Contains(weight.Name) || tokens == known)
            {
                return old.clone();
            }

            var rows = old.narrow(0, 0, known).view(known, -1);                                     // (known, C); a bias is one column
            var spare = old.narrow(0, Math.Min(tokens, Config.Vocabulary), Math.Max(0, Config.Vocabulary - tokens)).view(-1, rows.shape[1]);
            return cat([rows, NewRows(rows, tokens - known, start, seed), spare]).view(weight.Shape);
        });
    }

    private Tensor NewRows(Tensor rows, int added, NewTokens start, long seed)
    {
        var width = rows.shape[1];
        if (start == NewTokens.CopyEndOfText)
        {
            return rows.narrow(0, Config.EndOfText, 1).expand(added, width);
        }

        var drawn = empty([added, width]);
        Philox.FillNormal(new RandomKey(seed, CreationIteration, Stage.Training, Prompt: -1), drawn.Floats());
        var known = rows.to(float32);
        var mean = known.sum(dim: 0, keepdim: true) / rows.shape[0];                                     // (1, C)
        var deviation = ((known - mean).square().sum(dim: 0, keepdim: true) / rows.shape[0]).sqrt();     // (1, C)
        return (drawn.to(rows.device) * deviation + mean).to(rows.dtype);                           // (added, C)
    }

    private static LanguageModel Build(DecoderConfig config, Device? device, ScalarType? type, Func<DecoderWeight, Tensor> tensor)
    {
        using var _ = no_grad();
        var parameters = new SortedDictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            foreach (var weight in DecoderWeights.Of(config))
            {
                using var scope = NewDisposeScope();
                parameters[weight.Name] = tensor(weight).to(type ?? float32).to(device ?? CPU).DetachFromDisposeScope();
            }

            return new LanguageModel(config, parameters);
        }
        catch
        {
            foreach (var parameter in parameters.Values)
            {
                parameter.Dispose();
            }

            throw;
        }
    }
}
