using System.Text.Json.Serialization;

namespace Alt.Domain;

/// <summary>Conditional supervised fine-tuning, <c>NLL + beta*KL(p0||p) - alpha*H</c> as token mean (paper Eq. 1).</summary>
public sealed record TrainingConfig
{
    public int Steps { get; init; } = 80;
    public int BatchSize { get; init; } = 64;

    /// <summary>Micro-batches whose gradients are added up before a step; the batch size counts them all.</summary>
    public int Accumulation { get; init; } = 1;

    public double LearningRate { get; init; } = 5e-4;
    public double WarmupShare { get; init; } = 0.05;

    /// <summary>Linear decay to this share of the learning rate within an iteration.</summary>
    public double FinalShare { get; init; }

    public double Beta1 { get; init; } = 0.9;
    public double Beta2 { get; init; } = 0.999;
    public double WeightDecay { get; init; }
    public double ClipNorm { get; init; } = 1.0;

    /// <summary>beta, the weight of KL(p0||p); 0 leaves the reference model out.</summary>
    public double KlCoefficient { get; init; } = 0.05;

    /// <summary>alpha, the weight of the entropy bonus.</summary>
    public double EntropyCoefficient { get; init; } = 0.06;

    /// <summary>Carry Adam's moments from one iteration to the next.</summary>
    public bool KeepOptimiser { get; init; } = true;

    /// <summary>
    /// Re-initialise the feedback tokens' embeddings at this multiple of the embeddings' deviation before iteration 1; 0 is off.
    /// </summary>
    public double TagEmbeddingScale { get; init; }

    /// <summary>Steps between checkpoints that a killed run resumes from.</summary>
    public int CheckpointEvery { get; init; } = 100;

    /// <summary>What is computed in. The optimiser's weights and the checkpoints are float32 in any case.</summary>
    public TrainingPrecision Precision { get; init; }

    /// <summary>Train low-rank adapters in place of the weights; null trains the weights.</summary>
    public LoraConfig? Lora { get; init; }

    /// <summary>
    /// This many blocks, from the first on, and the embeddings keep their weights; a tied head is the token embedding, so it does too.
    /// </summary>
    public int FreezeLayers { get; init; }

    /// <summary>
    /// Compute each block again in the backward pass in place of keeping what it computed: less memory, more work, the same result.
    /// </summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>
    /// How many GB (10^9 bytes) of weights one file of a checkpoint holds; more are saved in several files with an index.
    /// </summary>
    public double ShardGigabytes { get; init; } = 5;

    /// <summary><see cref="ShardGigabytes"/> in bytes.</summary>
    [JsonIgnore]
    public long LargestFile => (long)(ShardGigabytes * 1e9);

    internal IEnumerable<(bool Ok, string Problem)> Checks(ModelConfig model) =>
    [
        (Steps > 0 && BatchSize > 0, "training.steps and training.batchSize must be 1 or more"),
        (LearningRate > 0, $"training.learningRate is {LearningRate}, expected more than 0"),
        (KlCoefficient >= 0 && EntropyCoefficient >= 0, "training.klCoefficient and training.entropyCoefficient must not be negative"),
        (ShardGigabytes is > 0 and <= 1e6, $"training.shardGigabytes is {ShardGigabytes}, expected above 0 and at most 1000000"),
        (FreezeLayers >= 0, $"training.freezeLayers is {FreezeLayers}, expected 0 or more"),
        (
            model.Checkpoint is not null || FreezeLayers <= model.Layers,
            $"training.freezeLayers is {FreezeLayers}, expected at most model.layers, {model.Layers}"),
        (
            Lora is null or { Rank: > 0, Alpha: > 0 },
            $"training.lora.rank is {Lora?.Rank} and training.lora.alpha {Lora?.Alpha}, expected more than 0"),
        (Lora is null || Lora.Targets.Count > 0 && Lora.Targets.Distinct().Count() == Lora.Targets.Count,
            "training.lora.targets needs at least one layer's name, each once: c_attn or q_proj, for example"),
    ];
}

/// <summary>
/// The type of a training's weights, activations and gradients. Float16 needs a GPU; its loss is scaled so that small gradients do not
/// vanish.
/// </summary>
public enum TrainingPrecision { Float32, Bfloat16, Float16 }

/// <summary>Low-rank adapters (LoRA): <c>y = x W + (x A) B alpha / rank</c>, of which A and B are trained.</summary>
public sealed record LoraConfig
{
    /// <summary>Width of A and height of B.</summary>
    public int Rank { get; init; } = 8;

    public double Alpha { get; init; } = 16;

    /// <summary>
    /// The adapted layers by the last part of their weights' names, in every block: <c>c_attn</c> (GPT-2) or <c>q_proj</c>, for example.
    /// </summary>
    public IReadOnlyList<string> Targets { get; init; } = [];
}
