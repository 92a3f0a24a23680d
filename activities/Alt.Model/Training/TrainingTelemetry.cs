using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Alt.Model.Training;

/// <summary>Training steps as metrics of the meter <c>Alt.Training</c>. Each is the last step's, but for the sum of tokens.</summary>
public static class TrainingTelemetry
{
    private static readonly Meter Meter = new("Alt.Training");
    private static readonly Counter<long> Tokens = Meter.CreateCounter<long>(
        "alt.training.tokens", "{token}", "Tokens that the policy has read.");
    private static readonly Gauge<double> Throughput = Meter.CreateGauge<double>("alt.training.throughput", "{token}/s");
    private static readonly Gauge<double> Loss = Meter.CreateGauge<double>(
        "alt.training.loss", "{nat}", "Mean over response tokens, as are its parts.");
    private static readonly Gauge<double> Kl = Meter.CreateGauge<double>("alt.training.kl", "{nat}", "KL(reference || policy).");
    private static readonly Gauge<double> Entropy = Meter.CreateGauge<double>("alt.training.entropy", "{nat}");
    private static readonly Gauge<double> GradientNorm = Meter.CreateGauge<double>("alt.training.gradient_norm", "1", "Before clipping.");

    public static void Record(string run, StepMetrics step)
    {
        var tags = new TagList { { "alt.run", run } };
        Tokens.Add(step.Tokens, tags);
        Throughput.Record(step.TokensPerSecond, tags);
        Loss.Record(step.Loss, tags);
        Kl.Record(step.Kl, tags);
        Entropy.Record(step.Entropy, tags);
        GradientNorm.Record(step.GradientNorm, tags);
    }
}
