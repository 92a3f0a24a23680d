namespace Alt.Model.Network;

/// <summary>The non-linear function between a block's two feed-forward layers.</summary>
public enum Activation
{
    /// <summary>GELU by GPT-2's formula with tanh.</summary>
    GeluTanh,

    Gelu,

    /// <summary>SiLU of one layer times another layer (SwiGLU, arXiv 2002.05202).</summary>
    SwiGlu,
}

/// <summary>How a block's two halves add to the residual stream.</summary>
public enum Residual
{
    /// <summary>The second reads what the first has added.</summary>
    Sequential,

    /// <summary>Both read the block's input, each through a norm of its own.</summary>
    Parallel,

    /// <summary>Both read the block's input through one norm.</summary>
    ParallelOneNorm,
}

/// <summary>Which weights hold a block's queries, keys and values.</summary>
public enum AttentionWeights
{
    /// <summary>One matrix: all queries, all keys, all values.</summary>
    Together,

    /// <summary>One matrix: query, key and value of head after head.</summary>
    ByHead,

    /// <summary>Three matrices.</summary>
    Apart,
}

/// <summary>
/// What sets a family of decoder-only transformers apart from the others; sizes are <see cref="DecoderConfig"/>'s. Names are Hugging
/// Face's.
/// </summary>
public sealed record Architecture
{
    /// <summary><c>model_type</c> in <c>config.json</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The class in transformers, for <c>config.json</c>.</summary>
    public required string ClassName { get; init; }

    public Activation Activation { get; init; } = Activation.GeluTanh;

    public Residual Residual { get; init; } = Residual.Sequential;

    /// <summary>Whether norms divide by the root mean square only (RMSNorm) rather than subtract the mean too.</summary>
    public bool RootMeanSquareNorm { get; init; }

    /// <summary>Whether matrices are stored as (input, output) rather than (output, input).</summary>
    public bool InputMajor { get; init; }

    /// <summary>Whether a rotary embedding turns neighbouring elements, rather than those half its width apart.</summary>
    public bool InterleavedRotary { get; init; }

    public AttentionWeights AttentionWeights { get; init; } = AttentionWeights.Apart;

    /// <summary>Which matrices have a bias.</summary>
    public bool AttentionBias { get; init; }

    /// <inheritdoc cref="AttentionBias"/>
    public bool ProjectionBias { get; init; }

    /// <inheritdoc cref="AttentionBias"/>
    public bool FeedForwardBias { get; init; }

    /// <inheritdoc cref="AttentionBias"/>
    public bool HeadBias { get; init; }

    public required WeightNames Weights { get; init; }

    public required ConfigKeys Keys { get; init; }

    public static Architecture Gpt2 { get; } = new()
    {
        Name = "gpt2",
        ClassName = "GPT2LMHeadModel",
        InputMajor = true,
        AttentionWeights = AttentionWeights.Together,
        AttentionBias = true,
        ProjectionBias = true,
        FeedForwardBias = true,
        Weights = new(
            "transformer.", "wte", "h", "ln_f", "lm_head", "ln_1", "ln_2", ["attn.c_attn"], "attn.c_proj", ["mlp.c_fc"],
            "mlp.c_proj")
        { Positions = "wpe" },
        Keys = ConfigKeys.Gpt,
    };

    /// <summary>GPT-J 6B.</summary>
    public static Architecture GptJ { get; } = new()
    {
        Name = "gptj",
        ClassName = "GPTJForCausalLM",
        Residual = Residual.ParallelOneNorm,
        InterleavedRotary = true,
        FeedForwardBias = true,
        HeadBias = true,
        Weights = new(
            "transformer.", "wte", "h", "ln_f", "lm_head", "ln_1", "ln_1", ["attn.q_proj", "attn.k_proj", "attn.v_proj"], "attn.out_proj",
            ["mlp.fc_in"], "mlp.fc_out"),
        Keys = ConfigKeys.Gpt,
    };

    /// <summary>GPT-NeoX and Pythia.</summary>
    public static Architecture NeoX { get; } = new()
    {
        Name = "gpt_neox",
        ClassName = "GPTNeoXForCausalLM",
        Activation = Activation.Gelu,
        Residual = Residual.Parallel,
        AttentionWeights = AttentionWeights.ByHead,
        AttentionBias = true,
        ProjectionBias = true,
        FeedForwardBias = true,
        Weights = new(
            "gpt_neox.", "embed_in", "layers", "final_layer_norm", "embed_out", "input_layernorm", "post_attention_layernorm",
            ["attention.query_key_value"], "attention.dense", ["mlp.dense_h_to_4h"], "mlp.dense_4h_to_h"),
        Keys = ConfigKeys.Hidden with { Epsilon = "layer_norm_eps" },
    };

    /// <summary>Llama 1 to 3, and what has their shape.</summary>
    public static Architecture Llama { get; } = new()
    {
        Name = "llama",
        ClassName = "LlamaForCausalLM",
        Activation = Activation.SwiGlu,
        RootMeanSquareNorm = true,
        Weights = new(
            "model.", "embed_tokens", "layers", "norm", "lm_head", "input_layernorm", "post_attention_layernorm",
            ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], "self_attn.o_proj", ["mlp.gate_proj", "mlp.up_proj"],
            "mlp.down_proj"),
        Keys = ConfigKeys.Hidden,
    };

    /// <summary>Qwen 2 and 2.5: Llama with biases for queries, keys and values.</summary>
    public static Architecture Qwen2 { get; } = Llama with { Name = "qwen2", ClassName = "Qwen2ForCausalLM", AttentionBias = true };

    public static IReadOnlyList<Architecture> All { get; } = [Gpt2, GptJ, NeoX, Llama, Qwen2];
}

/// <summary>
/// The names of a family's weights. Those of a block follow <c>{Trunk}{Blocks}.{layer}.</c>; each is followed by <c>.weight</c> or
/// <c>.bias</c>.
/// </summary>
/// <param name="Trunk">What all names but the head's begin with.</param>
/// <param name="Head">The output layer, where it is not the token embedding.</param>
/// <param name="Attention">One name or three, by <see cref="AttentionWeights"/>.</param>
/// <param name="Inner">One name, or with SwiGLU the gate's and the other's.</param>
public sealed record WeightNames(
    string Trunk, string Tokens, string Blocks, string FinalNorm, string Head, string AttentionNorm, string InnerNorm, string[] Attention,
    string Projection, string[] Inner, string Outer)
{
    /// <summary>The learned positions; null if the family has none.</summary>
    public string? Positions { get; init; }
}

/// <summary>What a family calls its sizes in <c>config.json</c>.</summary>
public sealed record ConfigKeys(
    string Positions, string Width, string Layers, string Heads, string Inner, string Epsilon, string Activation)
{
    public static ConfigKeys Gpt { get; } = new(
        "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "layer_norm_epsilon", "activation_function");

    public static ConfigKeys Hidden { get; } =
        new(
            "max_position_embeddings", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "rms_norm_eps",
            "hidden_act");
}
