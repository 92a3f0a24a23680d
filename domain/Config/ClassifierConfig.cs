namespace Alt.Domain;

/// <summary>A text classifier: n-gram features, logistic regression, calibrated probabilities. The reward is 1 - P(toxic).</summary>
public sealed record ClassifierConfig
{
    /// <summary>Which labelled rows it may learn from, so that the evaluation's judge can be kept unseen by the reward model.</summary>
    public LabelledRows Rows { get; init; } = LabelledRows.All;

    /// <summary>Adds character 2- to 5-grams to the word 1- and 2-grams.</summary>
    public bool Characters { get; init; } = true;

    /// <summary>Labelled comments to generate where a grammar is the source.</summary>
    public int Comments { get; init; } = 4_000;

    /// <summary>Share of the grammar's labels that is flipped, as human labels are.</summary>
    public double LabelNoise { get; init; } = 0.05;

    /// <summary>Strength of the L2 penalty.</summary>
    public double L2 { get; init; } = 1.0;
}

public enum LabelledRows { All, Odd, Even }
