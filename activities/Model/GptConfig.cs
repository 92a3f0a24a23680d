using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Alt.Domain;

namespace Alt.Activities.Model;

/// <summary>The shape of a GPT-2 model, as Hugging Face's <c>config.json</c> says it.</summary>
public sealed record GptConfig
{
    /// <summary>The file's name in a checkpoint folder.</summary>
    public const string FileName = "config.json";

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
    /// <exception cref="InputException">The file is missing, is not JSON, or describes another architecture.</exception>
    public static GptConfig Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new InputException($"{path} does not exist, expected the config of a GPT-2 checkpoint");
        }

        try
        {
            var json = JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject ?? throw new JsonException("it is not a JSON object");
            Require(path, json, "model_type", "gpt2");
            Require(path, json, "activation_function", "gelu_new");
            return json.Deserialize<GptConfig>(Json)!.Checked(path);
        }
        catch (JsonException e)
        {
            throw new InputException($"{path} is not a valid config: {e.Message}", e);
        }
    }

    /// <summary>Writes <c>config.json</c> so that transformers loads the folder as a GPT2LMHeadModel.</summary>
    public void Save(string folder)
    {
        var json = JsonSerializer.SerializeToNode(this, Json)!.AsObject();
        json["architectures"] = new JsonArray("GPT2LMHeadModel");
        json["model_type"] = "gpt2";
        json["activation_function"] = "gelu_new";
        json["bos_token_id"] = EndOfText;
        json["tie_word_embeddings"] = true;
        json["torch_dtype"] = "float32";
        foreach (var dropout in new[] { "attn_pdrop", "embd_pdrop", "resid_pdrop" })
        {
            json[dropout] = 0.0;
        }

        File.WriteAllText(Path.Combine(folder, FileName), json.ToJsonString(Json) + "\n");
    }

    private GptConfig Checked(string where)
    {
        foreach (var (name, value) in new[] { ("vocab_size", Vocabulary), ("n_positions", Positions), ("n_embd", Width), ("n_layer", Layers), ("n_head", Heads) })
        {
            if (value <= 0)
            {
                throw new InputException($"{where}: {name} is {value}, expected 1 or more");
            }
        }

        return Width % Heads == 0 ? this : throw new InputException($"{where}: n_embd {Width} is not a multiple of n_head {Heads}");
    }

    private static void Require(string path, JsonObject json, string key, string expected)
    {
        var found = json[key]?.ToString();
        if (found is not null && found != expected)
        {
            throw new InputException($"{path}: {key} is {found}, expected {expected}");
        }
    }
}
