using System.Text.Json.Nodes;
using Alt.Model.Network;

namespace Alt.Model.Checkpoints;

/// <summary>A decoder's <c>config.json</c>, in the spelling of each family and of transformers before and after version 5.</summary>
internal static class DecoderConfigFile
{
    // transformers' where a config does not say it.
    private const int GptJRotaryWidth = 64;

    /// <param name="generation">The folder's <c>generation_config.json</c>; its ends count too.</param>
    public static DecoderConfig Read(CheckpointConfig file, CheckpointConfig? generation)
    {
        var name = file.Require("model_type", [.. Architecture.All.Select(known => known.Name)]);
        var architecture = Architecture.All.First(known => known.Name == name);
        var keys = architecture.Keys;
        var activation = file.Require(keys.Activation, Names(architecture.Activation));
        int[] ends = [.. file.Integers("eos_token_id").Union(generation?.Integers("eos_token_id") ?? [])];
        // GPT-2's first config files leave out values that equal its smallest model's.
        var usual = architecture == Architecture.Gpt2 ? new DecoderConfig() : null;
        var config = new DecoderConfig
        {
            Architecture = Variant(architecture, file, activation),
            Vocabulary = file.Integer("vocab_size", usual?.Vocabulary),
            Positions = file.Integer(keys.Positions, usual?.Positions),
            Width = file.Integer(keys.Width, usual?.Width),
            Layers = file.Integer(keys.Layers, usual?.Layers),
            Heads = file.Integer(keys.Heads, usual?.Heads),
            KeyValueHeads = file.OptionalInteger("num_key_value_heads"),
            HeadWidth = file.OptionalInteger("head_dim"),
            Inner = file.OptionalInteger(keys.Inner),
            NormEpsilon = file.Number(keys.Epsilon, architecture.RootMeanSquareNorm ? 1e-6 : 1e-5),
            InitializerRange = file.Number("initializer_range", 0.02),
            // transformers ties the heads of GPT-2 where a config does not say it, but not those of the other families.
            TiedHead = file.Flag("tie_word_embeddings", architecture == Architecture.Gpt2),
            EndOfText = ends.Length > 0 ? ends[0] : usual?.EndOfText ?? throw file.Missing("eos_token_id", "the token that ends a text"),
            OtherEnds = [.. ends.Skip(1)],
            Source = file.ToString(),
        };
        file.RequirePositive(
            ("vocab_size", config.Vocabulary), (keys.Positions, config.Positions), (keys.Width, config.Width), (keys.Layers, config.Layers),
            (keys.Heads, config.Heads),
            ("num_key_value_heads", config.G), ("head_dim", config.HeadWidth ?? 1), (keys.Inner, config.InnerWidth));
        file.RequireMultiple((keys.Heads, config.Heads), ("num_key_value_heads", config.G));
        if (config.HeadWidth is null)
        {
            file.RequireMultiple((keys.Width, config.Width), (keys.Heads, config.Heads));
        }

        return architecture.Weights.Positions is null ? config with { Rotary = ReadRotary(file, config) } : config;
    }

    /// <summary>The config of a model that was not read from a file.</summary>
    public static JsonObject New(DecoderConfig config)
    {
        var (architecture, keys) = (config.Architecture, config.Architecture.Keys);
        var json = new JsonObject
        {
            ["vocab_size"] = config.Vocabulary,
            [keys.Positions] = config.Positions,
            [keys.Width] = config.Width,
            [keys.Layers] = config.Layers,
            [keys.Heads] = config.Heads,
            [keys.Inner] = config.Inner ?? (keys == ConfigKeys.Gpt ? null : config.InnerWidth),
            [keys.Epsilon] = config.NormEpsilon,
            ["initializer_range"] = config.InitializerRange,
            ["eos_token_id"] = config.EndOfText,
            ["architectures"] = new JsonArray(architecture.ClassName),
            ["model_type"] = architecture.Name,
            [keys.Activation] = Names(architecture.Activation)[0],
            ["bos_token_id"] = config.EndOfText,
            ["tie_word_embeddings"] = config.TiedHead,
            ["torch_dtype"] = "float32",
        };
        if (keys == ConfigKeys.Gpt)
        {
            foreach (var dropout in new[] { "attn_pdrop", "embd_pdrop", "resid_pdrop" })
            {
                json[dropout] = 0.0;
            }
        }

        if (architecture.Name == Architecture.NeoX.Name)
        {
            json["use_parallel_residual"] = architecture.Residual == Residual.Parallel;
        }

        if (architecture.RootMeanSquareNorm)
        {
            json["num_key_value_heads"] = config.G;
            json["head_dim"] = config.D;
        }

        WriteRotary(json, config);
        return json;
    }

    // What a config may choose within its family.
    private static Architecture Variant(Architecture architecture, CheckpointConfig file, string activation)
    {
        if (architecture == Architecture.NeoX)
        {
            var biased = file.Flag("attention_bias", true);
            return architecture with
            {
                Activation = activation == "gelu" ? Activation.Gelu : Activation.GeluTanh,
                Residual = file.Flag("use_parallel_residual", true) ? Residual.Parallel : Residual.Sequential,
                AttentionBias = biased,
                ProjectionBias = biased,
            };
        }

        if (architecture == Architecture.Llama)
        {
            var biased = file.Flag("attention_bias", false);
            return architecture with { AttentionBias = biased, ProjectionBias = biased, FeedForwardBias = file.Flag("mlp_bias", false) };
        }

        if (architecture == Architecture.Gpt2)
        {
            file.Require("scale_attn_weights", "true");
            file.Require("scale_attn_by_inverse_layer_idx", "false");
        }

        if (architecture == Architecture.Qwen2)
        {
            file.Require("use_sliding_window", "false");
        }

        return architecture;
    }

    private static string[] Names(Activation activation) => activation switch
    {
        Activation.SwiGlu => ["silu", "swish"],
        Activation.Gelu => ["gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh"],
        _ => ["gelu_new", "gelu_fast", "gelu_pytorch_tanh"],
    };

    private static Rotary ReadRotary(CheckpointConfig file, DecoderConfig config)
    {
        // transformers 5 puts into rope_parameters what stood at the top, and in rope_scaling, before.
        var section = file.Section("rope_parameters") ?? file.Section("rope_scaling");
        var share = section?.OptionalNumber("partial_rotary_factor")
            ?? file.OptionalNumber("partial_rotary_factor") ?? file.OptionalNumber("rotary_pct")
            ?? (config.Architecture.Name == Architecture.NeoX.Name ? 0.25 : 1);
        var width = file.OptionalInteger("rotary_dim")
            ?? (config.Architecture.Name == Architecture.GptJ.Name ? GptJRotaryWidth : (int)(config.D * share));
        var wavelength = section?.OptionalNumber("rope_theta") ?? file.OptionalNumber("rope_theta")
            ?? file.OptionalNumber("rotary_emb_base") ?? 10_000;
        file.RequireRange(("rotary width", width), 2, config.D);
        file.RequireMultiple(("rotary width", width), ("pairs of", 2));
        return new Rotary(width, wavelength, section is null ? null : Scaling(section));
    }

    private static RotaryScaling? Scaling(CheckpointConfig section)
    {
        var kind = section.Require(section.Has("type") && !section.Has("rope_type") ? "type" : "rope_type", "default", "linear", "llama3");
        return kind switch
        {
            "linear" => new RotaryScaling(section.Number("factor"), null),
            "llama3" => new RotaryScaling(
                section.Number("factor"),
                new RotaryBand(
                    section.Number("low_freq_factor"), section.Number("high_freq_factor"),
                    section.Integer("original_max_position_embeddings"))),
            _ => null,
        };
    }

    private static void WriteRotary(JsonObject json, DecoderConfig config)
    {
        if (config.Rotary is not { } rotary)
        {
            return;
        }

        switch (config.Architecture.Name)
        {
            case "gptj":
                json["rotary_dim"] = rotary.Width;
                return;
            case "gpt_neox":
                (json["rotary_pct"], json["rotary_emb_base"]) = ((double)rotary.Width / config.D, rotary.Base);
                return;
        }

        json["rope_theta"] = rotary.Base;
        if (rotary.Scaling is { } scaling)
        {
            json["rope_scaling"] = scaling.Band is not { } band
                ? new JsonObject { ["rope_type"] = "linear", ["factor"] = scaling.Factor }
                : new JsonObject
                {
                    ["rope_type"] = "llama3",
                    ["factor"] = scaling.Factor,
                    ["low_freq_factor"] = band.LowFactor,
                    ["high_freq_factor"] = band.HighFactor,
                    ["original_max_position_embeddings"] = band.Context,
                };
        }
    }
}
