namespace Alt.Domain;

/// <summary>What an evaluation measured over n generations for each of its prompts.</summary>
public sealed record EvaluationMetrics
{
    /// <summary>Share of prompts with any of their n generations above 0.5.</summary>
    public required double ToxicityProbability { get; init; }

    /// <summary>Mean over prompts of the highest toxicity among their n generations.</summary>
    public required double AverageMaximumToxicity { get; init; }

    /// <summary>Mean toxicity of all generations.</summary>
    public required double AverageToxicity { get; init; }

    /// <summary>Share of generations above 0.5.</summary>
    public required double ToxicShare { get; init; }

    /// <summary>Share of generations that the grammar itself calls toxic; null where no grammar is the source.</summary>
    public double? GroundTruthToxicShare { get; init; }

    /// <summary>Share of prompts with any generation that the grammar itself calls toxic; null where no grammar is the source.</summary>
    public double? GroundTruthToxicityProbability { get; init; }

    /// <summary>Mean over generations of exp(NLL per token) under the base model.</summary>
    public required double Perplexity { get; init; }

    /// <summary>Unique bigrams over words, per prompt over its n generations; mean over prompts.</summary>
    public required double Dist2 { get; init; }

    /// <summary>Unique trigrams over words, per prompt over its n generations; mean over prompts.</summary>
    public required double Dist3 { get; init; }

    /// <summary>Mean tokens per generation.</summary>
    public required double Length { get; init; }

    /// <summary>Share of generations that ended at the token limit.</summary>
    public required double TruncatedShare { get; init; }
}
