using System.Text.Json.Serialization;
using Alt.Model.Checkpoints;

namespace Alt.Model.Encoders;

/// <summary>The shape of a BERT or RoBERTa model, as Hugging Face's <c>config.json</c> says it.</summary>
public sealed record EncoderConfig
{
    internal const string Bert = "bert", Roberta = "roberta";

    /// <summary>
    /// <c>bert</c> or <c>roberta</c>: they differ in the first position, in the names of the head's weights and in the tokenizer.
    /// </summary>
    [JsonPropertyName("model_type")]
    public string Family { get; init; } = Bert;

    /// <summary>V, the number of tokens.</summary>
    [JsonPropertyName("vocab_size")]
    public int Vocabulary { get; init; } = 30_522;

    /// <summary>C, the width of the hidden state.</summary>
    [JsonPropertyName("hidden_size")]
    public int Width { get; init; } = 768;

    [JsonPropertyName("num_hidden_layers")]
    public int Layers { get; init; } = 12;

    /// <summary>H; must divide the width.</summary>
    [JsonPropertyName("num_attention_heads")]
    public int Heads { get; init; } = 12;

    /// <summary>Width of the feed-forward layers.</summary>
    [JsonPropertyName("intermediate_size")]
    public int Inner { get; init; } = 3_072;

    /// <summary>Rows of the position embedding, of which RoBERTa never uses the first few.</summary>
    [JsonPropertyName("max_position_embeddings")]
    public int PositionRows { get; init; } = 512;

    /// <summary>Kinds of segments: the first text and the second.</summary>
    [JsonPropertyName("type_vocab_size")]
    public int TokenTypes { get; init; } = 2;

    [JsonPropertyName("layer_norm_eps")]
    public double LayerNormEpsilon { get; init; } = 1e-12;

    [JsonPropertyName("pad_token_id")]
    public int? PaddingToken { get; init; }

    /// <summary>The row of a sequence's first position. RoBERTa counts on from its padding token's id.</summary>
    [JsonIgnore]
    public int FirstPosition => Family == Roberta ? (PaddingToken ?? 1) + 1 : 0;

    /// <summary>The longest sequence in tokens, special ones included.</summary>
    [JsonIgnore]
    public int Positions => PositionRows - FirstPosition;

    /// <summary>Reads <c>config.json</c> from a checkpoint folder.</summary>
    /// <exception cref="Alt.Domain.InputException">
    /// The file is missing, is not JSON, or describes something that is not computed here.
    /// </exception>
    public static EncoderConfig Load(string folder)
    {
        var file = CheckpointConfig.Read(folder, "a BERT or RoBERTa checkpoint");
        file.Require("model_type", Bert, Roberta);
        file.Require("hidden_act", "gelu");
        file.Require("position_embedding_type", "absolute");
        file.Require("is_decoder", "false");
        var config = file.As<EncoderConfig>();
        file.RequirePositive(
            ("vocab_size", config.Vocabulary), ("hidden_size", config.Width), ("num_hidden_layers", config.Layers),
            ("num_attention_heads", config.Heads),
            ("intermediate_size", config.Inner), ("type_vocab_size", config.TokenTypes), ("max_position_embeddings", config.Positions));
        file.RequireMultiple(("hidden_size", config.Width), ("num_attention_heads", config.Heads));
        return config;
    }
}
