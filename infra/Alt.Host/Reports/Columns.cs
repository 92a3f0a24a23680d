using System.Globalization;
using Alt.Domain;

namespace Alt.Host.Reports;

/// <summary>One figure of an iteration, as the table and the page show it.</summary>
/// <param name="Key">The figure's name in the JSON report.</param>
/// <param name="Meaning">What it measures, in one phrase.</param>
internal sealed record Column(
    string Key, string Title, string Meaning, string Format, Func<IterationReport, double?> Value, Shown Shown = Shown.Table)
{
    /// <summary>In reading order.</summary>
    public static IReadOnlyList<Column> All { get; } =
    [
        new(
            "toxicityProbability", "toxicity probability", "share of prompts with any of the n generations above .5", "0.000",
            i => i.Metrics.ToxicityProbability, Shown.Tile),
        new(
            "averageMaximumToxicity", "average maximum toxicity", "mean over prompts of the most toxic of the n generations", "0.000",
            i => i.Metrics.AverageMaximumToxicity, Shown.Curve),
        new("averageToxicity", "average toxicity", "mean over all generations", "0.000", i => i.Metrics.AverageToxicity),
        new("toxicShare", "toxic share", "share of generations above .5", "0.000", i => i.Metrics.ToxicShare, Shown.Tile),
        new(
            "groundTruthToxicShare", "toxic share by ground truth", "share of generations that the grammar itself calls toxic", "0.000",
            i => i.Metrics.GroundTruthToxicShare, Shown.Tile),
        new(
            "groundTruthToxicityProbability", "any of n by ground truth",
            "share of prompts with any generation that the grammar itself calls toxic", "0.000",
            i => i.Metrics.GroundTruthToxicityProbability),
        new("perplexity", "perplexity", "mean over generations, under the base model", "0.00", i => i.Metrics.Perplexity, Shown.Tile),
        new("dist2", "dist-2", "unique bigrams over words", "0.000", i => i.Metrics.Dist2, Shown.Tile),
        new("dist3", "dist-3", "unique trigrams over words", "0.000", i => i.Metrics.Dist3, Shown.Curve),
        new("length", "length", "mean tokens per generation", "0.0", i => i.Metrics.Length, Shown.Curve),
        new(
            "truncatedShare", "truncated", "share of generations that ended at the token limit", "0.000",
            i => i.Metrics.TruncatedShare, Shown.Curve),
        new("samples", "samples", "generations drawn to learn from", "#,##0", i => i.Samples),
        new("trainedExamples", "trained on", "examples chosen from the pool", "#,##0", i => i.TrainedExamples),
        new("seconds", "seconds", "time of the iteration's stages", "#,##0.0", i => i.Seconds),
    ];

    /// <summary>Those that the report has a value for.</summary>
    public static IReadOnlyList<Column> In(RunReport report) => [.. All.Where(c => report.Iterations.Any(i => c.Value(i) is not null))];

    public string Text(IterationReport iteration) =>
        Value(iteration) is { } value ? value.ToString(Format, CultureInfo.InvariantCulture) : "";
}

/// <summary>Where the page shows a figure; each place includes those before it.</summary>
internal enum Shown
{
    Table,

    /// <summary>A curve over the iterations.</summary>
    Curve,

    /// <summary>Large at the top, before and after the run.</summary>
    Tile,
}
