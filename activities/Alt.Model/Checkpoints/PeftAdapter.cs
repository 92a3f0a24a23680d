using System.Text.Json;
using Alt.Domain;
using Alt.Model.Network;

namespace Alt.Model.Checkpoints;

/// <summary>
/// A model's adapters in the layout that Hugging Face's PEFT loads onto the base model, once its embedding has as many rows as the
/// checkpoint's <c>vocab_size</c> says: <c>PeftModel.from_pretrained(base, "CHECKPOINT/adapter")</c>.
/// </summary>
/// <remarks>
/// In a folder of its own: where transformers finds <c>adapter_config.json</c> beside a model's weights, it adds the adapters to them, and
/// these are merged already.
/// The rows by token come along, since feedback's tokens have some that the base model lacks. The base is what is under the adapters: p0
/// where <c>training.keepOptimiser</c> carries the adapters on, otherwise the policy of the iteration before.
/// </remarks>
internal static class PeftAdapter
{
    public const string FolderName = "adapter";
    public const string ConfigFileName = "adapter_config.json";
    public const string WeightsFileName = "adapter_model.safetensors";

    // What PEFT's wrappers put before the names of the model's own modules.
    private const string Prefix = "base_model.model.";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        IndentSize = 2,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower
    };

    /// <param name="checkpoint">The checkpoint's folder.</param>
    /// <param name="frozen">How many blocks, from the first on, have no adapters.</param>
    public static void Write(string checkpoint, LanguageModel model, LoraConfig lora, int frozen)
    {
        var folder = Directory.CreateDirectory(Path.Combine(checkpoint, FolderName)).FullName;
        var architecture = model.Config.Architecture;
        var config = new
        {
            BaseModelNameOrPath = (string?)null,
            Bias = "none",
            FanInFanOut = architecture.InputMajor,
            InferenceMode = true,
            InitLoraWeights = true,
            LayersPattern = frozen > 0 ? architecture.Weights.Blocks : null,
            LayersToTransform = frozen > 0 ? Enumerable.Range(frozen, model.Config.Layers - frozen) : null,
            LoraAlpha = lora.Alpha,
            LoraDropout = 0,
            ModulesToSave = (string[]?)null,
            PeftType = "LORA",
            R = lora.Rank,
            TargetModules = lora.Targets,
            TaskType = "CAUSAL_LM",
            UseDora = false,
            UseRslora = false,
        };
        File.WriteAllText(Path.Combine(folder, ConfigFileName), JsonSerializer.Serialize(config, Json) + "\n");

        string[] byToken = [.. DecoderWeights.ByToken(model.Config).Where(model.Parameters.ContainsKey)];
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFileName),
        [
            .. byToken.Select(name => KeyValuePair.Create(Prefix + name, model.Parameters[name])),
            .. model.Adapters.SelectMany(adapter => new[]
            {
                KeyValuePair.Create($"{Prefix}{adapter.Key}.lora_A.weight", adapter.Value.A),
                KeyValuePair.Create($"{Prefix}{adapter.Key}.lora_B.weight", adapter.Value.B),
            }),
        ]);
    }
}
