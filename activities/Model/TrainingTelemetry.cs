using System.Diagnostics.Metrics;

namespace Alt.Activities.Model;

/// <summary>Training steps as metrics of the meter <c>Alt.Training</c>. Each is the last step's, but for the sum of tokens.</summary>
internal static class TrainingTelemetry
{
    private static readonly Meter Meter = new("Alt.Training");
    private static readonly Counter<long> Tokens = Meter.CreateCounter<long>("alt_training_tokens", "{token}", "Tokens that the policy has read.");
    private static readonly Gauge<double> TokensPerSecond = Meter.CreateGauge<double>("alt_training_throughput", "{token}/s");
    private static readonly Gauge<double> Loss = Meter.CreateGauge<double>("alt_training_loss", "nat", "Mean over response tokens, as are its parts.");
    private static readonly Gauge<double> Kl = Meter.CreateGauge<double>("alt_training_kl", "nat", "KL(reference || policy).");
    private static readonly Gauge<double> Entropy = Meter.CreateGauge<double>("alt_training_entropy", "nat");
    private static readonly Gauge<double> GradientNorm = Meter.CreateGauge<double>("alt_training_gradient_norm", description: "Before clipping.");

    public static void Record(StepMetrics step)
    {
        Tokens.Add(step.Tokens);
        TokensPerSecond.Record(step.TokensPerSecond);
        Loss.Record(step.Loss);
        Kl.Record(step.Kl);
        Entropy.Record(step.Entropy);
        GradientNorm.Record(step.GradientNorm);
    }
}
