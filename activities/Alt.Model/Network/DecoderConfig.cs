using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Model.Checkpoints;

namespace Alt.Model.Network;

/// <summary>The shape of a decoder-only transformer; the defaults are GPT-2's with 124 million weights.</summary>
public sealed record DecoderConfig
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, IndentSize = 2 };

    public Architecture Architecture { get; init; } = Architecture.Gpt2;

    /// <summary>V, the number of tokens.</summary>
    public int Vocabulary { get; init; } = 50_257;

    /// <summary>The longest sequence in tokens.</summary>
    public int Positions { get; init; } = 1_024;

    /// <summary>C, the width of the residual stream.</summary>
    public int Width { get; init; } = 768;

    public int Layers { get; init; } = 12;

    /// <summary>H.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>G, how many heads have keys and values of their own, each shared by H / G query heads; null is H.</summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>D, the width of one head; null is C / H.</summary>
    public int? HeadWidth { get; init; }

    /// <summary>Width of the feed-forward layers; null is four times the model's.</summary>
    public int? Inner { get; init; }

    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Null where positions are learned.</summary>
    public Rotary? Rotary { get; init; }

    /// <summary>Whether the output layer is the token embedding.</summary>
    public bool TiedHead { get; init; } = true;

    /// <summary>Deviation of the normal distribution that new weights are drawn from.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Id of the end-of-text token.</summary>
    public int EndOfText { get; init; } = 50_256;

    /// <summary>Other tokens that end a generation, such as a chat model's end of turn.</summary>
    public IReadOnlyList<int> OtherEnds { get; init; } = [];

    /// <summary>
    /// The <c>config.json</c> that the shape was read from: <see cref="Save"/> keeps what stands there beside the shape. Null for a new
    /// model.
    /// </summary>
    internal string? Source { get; init; }

    internal int G => KeyValueHeads ?? Heads;
    internal int D => HeadWidth ?? Width / Heads;
    internal int InnerWidth => Inner ?? 4 * Width;

    /// <summary>How many weights a model of this shape has; a tied head shares the token embedding's.</summary>
    public long Parameters => DecoderWeights.Of(this).Sum(weight => weight.Elements);

    /// <summary>Reads <c>config.json</c> from a checkpoint folder, and <c>generation_config.json</c> where there is one.</summary>
    /// <exception cref="Alt.Domain.InputException">
    /// A file is missing, is not JSON, or describes something that is not computed here.
    /// </exception>
    public static DecoderConfig Load(string folder) =>
        DecoderConfigFile.Read(
            CheckpointConfig.Read(folder, "a language model's checkpoint"),
            CheckpointConfig.TryRead(folder, CheckpointConfig.GenerationFileName));

    /// <summary>Writes <c>config.json</c> so that transformers loads the folder as a causal language model.</summary>
    /// <param name="elementType">Of the weights beside it, as PyTorch calls it: <c>float32</c>, <c>bfloat16</c> or <c>float16</c>.</param>
    public void Save(string folder, string elementType = "float32")
    {
        var json = Source is null ? DecoderConfigFile.New(this) : (JsonObject)JsonNode.Parse(Source)!;
        json["vocab_size"] = Vocabulary;
        json[json.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = elementType;
        File.WriteAllText(Path.Combine(folder, CheckpointConfig.FileName), json.ToJsonString(Indented) + "\n");
    }
}
