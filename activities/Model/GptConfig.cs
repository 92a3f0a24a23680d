using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Alt.Activities.Model;

/// <summary>The shape of a GPT-2 model, as Hugging Face's <c>config.json</c> says it.</summary>
public sealed record GptConfig
{
    internal const string Family = "gpt2";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, IndentSize = 2, UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip };

    /// <summary>V, the number of tokens.</summary>
    [JsonPropertyName("vocab_size")]
    public int Vocabulary { get; init; } = 50_257;

    /// <summary>The longest sequence in tokens.</summary>
    [JsonPropertyName("n_positions")]
    public int Positions { get; init; } = 1_024;

    /// <summary>C, the width of the residual stream.</summary>
    [JsonPropertyName("n_embd")]
    public int Width { get; init; } = 768;

    [JsonPropertyName("n_layer")]
    public int Layers { get; init; } = 12;

    /// <summary>H; must divide the width.</summary>
    [JsonPropertyName("n_head")]
    public int Heads { get; init; } = 12;

    /// <summary>Width of the feed-forward layers; null is four times the model's.</summary>
    [JsonPropertyName("n_inner")]
    public int? Inner { get; init; }

    [JsonPropertyName("layer_norm_epsilon")]
    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>Deviation of the normal distribution that new weights are drawn from.</summary>
    [JsonPropertyName("initializer_range")]
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Id of the end-of-text token.</summary>
    [JsonPropertyName("eos_token_id")]
    public int EndOfText { get; init; } = 50_256;

    /// <summary>D, the width of one head.</summary>
    [JsonIgnore]
    public int HeadWidth => Width / Heads;

    /// <summary>How many weights a model of this shape has; the head shares the token embedding's.</summary>
    [JsonIgnore]
    public long Parameters => (long)(Vocabulary + Positions) * Width + 2L * Width
        + Layers * (4L * Width + 4L * Width * Width + 4L * Width + 2L * Width * (Inner ?? 4 * Width) + (Inner ?? 4 * Width) + Width);

    /// <summary>Reads <c>config.json</c> from a checkpoint folder.</summary>
    /// <exception cref="Alt.Domain.InputException">The file is missing, is not JSON, or describes another architecture.</exception>
    public static GptConfig Load(string folder)
    {
        var file = CheckpointConfig.Read(folder, "a GPT-2 checkpoint");
        file.Require("model_type", Family);
        file.Require("activation_function", "gelu_new");
        var config = file.As<GptConfig>(Json);
        file.RequirePositive(
            ("vocab_size", config.Vocabulary), ("n_positions", config.Positions), ("n_embd", config.Width), ("n_layer", config.Layers), ("n_head", config.Heads));
        file.RequireMultiple(("n_embd", config.Width), ("n_head", config.Heads));
        return config;
    }

    /// <summary>Writes <c>config.json</c> so that transformers loads the folder as a GPT2LMHeadModel.</summary>
    public void Save(string folder)
    {
        var json = JsonSerializer.SerializeToNode(this, Json)!.AsObject();
        json["architectures"] = new JsonArray("GPT2LMHeadModel");
        json["model_type"] = Family;
        json["activation_function"] = "gelu_new";
        json["bos_token_id"] = EndOfText;
        json["tie_word_embeddings"] = true;
        json["torch_dtype"] = "float32";
        foreach (var dropout in new[] { "attn_pdrop", "embd_pdrop", "resid_pdrop" })
        {
            json[dropout] = 0.0;
        }

        File.WriteAllText(Path.Combine(folder, CheckpointConfig.FileName), json.ToJsonString(Json) + "\n");
    }
}
