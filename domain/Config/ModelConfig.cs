namespace Alt.Domain;

/// <summary>
/// The base model p0: a checkpoint folder as Hugging Face writes it, or an architecture to pretrain as the run's stage 0.
/// </summary>
public sealed record ModelConfig
{
    /// <summary>
    /// A folder with config.json, a tokenizer and the weights: model.safetensors, pytorch_model.bin, or shards of either with their index.
    /// Null pretrains one.
    /// </summary>
    public string? Checkpoint { get; init; }

    public int Layers { get; init; } = 4;
    public int Width { get; init; } = 144;
    public int Heads { get; init; } = 4;

    /// <summary>Longest sequence, in tokens.</summary>
    public int Positions { get; init; } = 128;

    /// <summary>Size of the byte-level BPE vocabulary that is trained on the pretraining text.</summary>
    public int Vocabulary { get; init; } = 1_000;

    public PretrainingConfig Pretraining { get; init; } = new();

    internal IEnumerable<(bool Ok, string Problem)> Checks() =>
    [
        (Width > 0 && Heads > 0 && Width % Heads == 0, $"model.width {Width} is not a multiple of model.heads {Heads}"),
        (Layers > 0, $"model.layers is {Layers}, expected 1 or more"),
        (Vocabulary >= 300, $"model.vocabulary is {Vocabulary}, expected at least 300 (256 bytes and the special tokens)"),
    ];
}

/// <summary>Plain language modelling on blocks of tokens; Adam, linear warm-up and decay.</summary>
public sealed record PretrainingConfig
{
    public int Steps { get; init; } = 1_000;
    public int BatchSize { get; init; } = 32;

    /// <summary>Tokens per row.</summary>
    public int BlockLength { get; init; } = 64;

    public double LearningRate { get; init; } = 2e-3;
    public double WarmupShare { get; init; } = 0.05;
    public double Beta2 { get; init; } = 0.98;
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Norm that the gradient is clipped to; 0 is off.</summary>
    public double ClipNorm { get; init; } = 1.0;

    /// <summary>Steps between checkpoints that a killed run resumes from.</summary>
    public int CheckpointEvery { get; init; } = 250;
}
