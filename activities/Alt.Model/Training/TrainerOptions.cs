using Alt.Domain;

namespace Alt.Model.Training;

/// <summary>How a model is trained.</summary>
public sealed record TrainerOptions
{
    /// <summary>The run's seed and the iteration: together they decide the order of the data.</summary>
    public long Seed { get; init; } = 1;

    /// <inheritdoc cref="Seed"/>
    public int Iteration { get; init; }

    /// <summary>Updates in all.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>Examples per update.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>
    /// In how many parts a batch is computed at least; rows of very different lengths are in parts of their own anyway. More need less
    /// memory; the result is the same up to rounding.
    /// </summary>
    /// <value>Default 1.</value>
    public int Accumulation { get; init; } = 1;

    /// <summary>The highest learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Share of the steps during which the learning rate rises linearly from 0.</summary>
    public double WarmupShare { get; init; } = 0.05;

    /// <summary>The share of the learning rate that its linear decay ends at.</summary>
    public double FinalShare { get; init; }

    public double Beta1 { get; init; } = 0.9;
    public double Beta2 { get; init; } = 0.999;
    public double Epsilon { get; init; } = 1e-8;
    public double WeightDecay { get; init; }

    /// <summary>Norm that the gradient is clipped to; 0 is off.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>beta, the weight of KL(reference || policy); 0 leaves the reference model out.</summary>
    public double KlCoefficient { get; init; }

    /// <summary>alpha, the weight of the entropy bonus.</summary>
    public double EntropyCoefficient { get; init; }

    /// <summary>What is computed in; weights and moments are kept in single precision beside it.</summary>
    public TrainingPrecision Precision { get; init; }

    /// <summary>The low-rank adapters that are trained in place of the weights; null trains the weights.</summary>
    public LoraConfig? Lora { get; init; }

    /// <summary>
    /// How many blocks, from the first on, keep their weights, and with them the embeddings; a tied head is an embedding.
    /// </summary>
    public int FreezeLayers { get; init; }

    /// <summary>
    /// Whether the backward pass computes each block again, in place of keeping what it computed: less memory, a third more work, the same
    /// result.
    /// </summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>What the loss is multiplied by at first, so that half-precision gradients do not vanish; 0 is off.</summary>
    public double LossScale { get; init; }

    /// <summary>Steps without an overflow after which the loss's factor doubles.</summary>
    public int LossScaleGrowthSteps { get; init; } = 2_000;

    /// <summary>The learning rate of an update: linear warm-up, then linear decay.</summary>
    /// <param name="step">From 0.</param>
    public double LearningRateAt(int step)
    {
        var warmup = WarmupShare * Steps;
        return step + 1 <= warmup
            ? LearningRate * (step + 1) / warmup
            : LearningRate * (1 - (1 - FinalShare) * Math.Max(0, step - warmup) / (Steps - warmup));
    }
}
