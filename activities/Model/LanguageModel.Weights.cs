using Alt.Domain;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>How new rows of the token embedding start.</summary>
public enum NewTokens
{
    /// <summary>As the end-of-text token's row.</summary>
    CopyEndOfText,

    /// <summary>Normal, with each column's mean and deviation over the rows that there are.</summary>
    Normal,
}

public sealed partial class LanguageModel
{
    /// <summary>The weights' file in a checkpoint folder.</summary>
    public const string WeightsFileName = "model.safetensors";

    private const string Prefix = "transformer.";
    private const string TokenEmbeddingName = Prefix + "wte.weight";
    private const string PositionEmbeddingName = Prefix + "wpe.weight";

    // The stream of a model's first weights; no iteration of a run has this number.
    private const int CreationIteration = -1;

    /// <summary>A new model, its weights drawn as Hugging Face draws them: normal, but 0 for biases and 1 for norms.</summary>
    public static LanguageModel Create(GptConfig config, long seed, Device? device = null)
    {
        var ordinal = 0;
        return Build(config, device, (name, shape) =>
        {
            var values = zeros(shape);
            var key = new RandomKey(seed, CreationIteration, Stage.Training, Prompt: ordinal++);
            if (name.Contains("ln_", StringComparison.Ordinal))
            {
                return values.fill_(name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0);
            }

            if (name.EndsWith("weight", StringComparison.Ordinal))
            {
                // GPT-2 scales down what is added to the residual stream, so that depth does not make it grow.
                var scale = name.EndsWith("c_proj.weight", StringComparison.Ordinal) ? 1 / Math.Sqrt(2 * config.Layers) : 1;
                Philox.FillNormal(key, Floats(values), deviation: config.InitializerRange * scale);
            }

            return values;
        });
    }

    /// <summary>Reads a checkpoint folder (<c>config.json</c>, <c>model.safetensors</c>) as transformers writes it, with or without the names' prefix.</summary>
    /// <exception cref="InputException">A file is missing or damaged, or a tensor is missing or of another shape than the config says.</exception>
    public static LanguageModel Load(string folder, Device? device = null)
    {
        var config = GptConfig.Load(folder);
        using var weights = new CheckpointWeights(folder, Prefix);
        return Build(config, device, (name, shape) => weights.Read(name, shape));
    }

    /// <summary>Writes the checkpoint into a folder, which is created where it does not exist.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        Config.Save(folder);
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFileName), _parameters);
    }

    /// <summary>SHA-256, in lower-case hexadecimal, of the <c>model.safetensors</c> that <see cref="Save"/> writes.</summary>
    public string WeightsHash() => SafetensorsWriter.Hash(_parameters);

    /// <summary>A model with the same weights in its own memory.</summary>
    public LanguageModel Copy() => Build(Config, Device, (name, _) => _parameters[name].detach().clone());

    /// <summary>A copy with more tokens: the first rows stay, the new ones start as asked.</summary>
    /// <param name="size">The new vocabulary's size, at least the old one's.</param>
    /// <param name="seed">Draws the new rows where they are drawn.</param>
    public LanguageModel ResizeVocabulary(int size, NewTokens start, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, Config.Vocabulary);
        var added = size - Config.Vocabulary;
        return Build(Config with { Vocabulary = size }, Device, (name, _) =>
        {
            var old = _parameters[name].detach();
            return name != TokenEmbeddingName || added == 0 ? old.clone() : cat([old, NewRows(old, added, start, seed)]);
        });
    }

    private Tensor NewRows(Tensor rows, int added, NewTokens start, long seed)
    {
        if (start == NewTokens.CopyEndOfText)
        {
            return rows.narrow(0, Config.EndOfText, 1).expand(added, Config.Width);
        }

        var drawn = empty([added, Config.Width]);
        Philox.FillNormal(new RandomKey(seed, CreationIteration, Stage.Training, Prompt: -1), Floats(drawn));
        var mean = rows.sum(0, keepdim: true) / rows.shape[0];                                      // (1, C)
        var deviation = ((rows - mean).square().sum(0, keepdim: true) / rows.shape[0]).sqrt();      // (1, C)
        return drawn.to(rows.device) * deviation + mean;                                            // (added, C)
    }

    private static LanguageModel Build(GptConfig config, Device? device, Func<string, long[], Tensor> tensor)
    {
        using var _ = no_grad();
        var parameters = new SortedDictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            foreach (var (name, shape) in Shapes(config))
            {
                using var scope = NewDisposeScope();
                parameters[name] = tensor(name, shape).to(device ?? CPU).DetachFromDisposeScope();
            }
        }
        catch
        {
            foreach (var parameter in parameters.Values)
            {
                parameter.Dispose();
            }

            throw;
        }

        return new LanguageModel(config, parameters);
    }

    private static IEnumerable<(string Name, long[] Shape)> Shapes(GptConfig config)
    {
        long C = config.Width, inner = config.Inner ?? 4 * config.Width;
        yield return (TokenEmbeddingName, [config.Vocabulary, C]);
        yield return (PositionEmbeddingName, [config.Positions, C]);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var block = $"{Prefix}h.{layer}.";
            yield return (block + "ln_1.weight", [C]);
            yield return (block + "ln_1.bias", [C]);
            yield return (block + "attn.c_attn.weight", [C, 3 * C]);
            yield return (block + "attn.c_attn.bias", [3 * C]);
            yield return (block + "attn.c_proj.weight", [C, C]);
            yield return (block + "attn.c_proj.bias", [C]);
            yield return (block + "ln_2.weight", [C]);
            yield return (block + "ln_2.bias", [C]);
            yield return (block + "mlp.c_fc.weight", [C, inner]);
            yield return (block + "mlp.c_fc.bias", [inner]);
            yield return (block + "mlp.c_proj.weight", [inner, C]);
            yield return (block + "mlp.c_proj.bias", [C]);
        }

        yield return (Prefix + "ln_f.weight", [C]);
        yield return (Prefix + "ln_f.bias", [C]);
    }

    private static Span<float> Floats(Tensor tensor) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tensor.bytes);
}
