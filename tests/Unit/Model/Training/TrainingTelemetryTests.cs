using System.Diagnostics.Metrics;
using Alt.Model.Training;

namespace Alt.Tests.Model;

public sealed class TrainingTelemetryTests
{
    [Fact]
    public void A_step_is_recorded_under_the_meters_names()
    {
        var seen = new Dictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "Alt.Training")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        // Other tests train beside this one, each on its own thread.
        var thread = Environment.CurrentManagedThreadId;
        void Note(Instrument instrument, double value)
        {
            if (Environment.CurrentManagedThreadId == thread)
            {
                seen[instrument.Name] = value;
            }
        }

        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Note(instrument, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Note(instrument, value));
        listener.Start();
        TrainingTelemetry.Record("tiny", new StepMetrics(
            1, Loss: 2.5, Nll: 2.4, Kl: 0.3, Entropy: 1.5, GradientNorm: 0.7, 1e-3, Tokens: 640, 500, TimeSpan.FromSeconds(2)));
        Assert.Equal(
            new Dictionary<string, double>
            {
                ["alt.training.tokens"] = 640,
                ["alt.training.throughput"] = 320,
                ["alt.training.loss"] = 2.5,
                ["alt.training.kl"] = 0.3,
                ["alt.training.entropy"] = 1.5,
                ["alt.training.gradient_norm"] = 0.7,
            },
            seen);
    }
}
