using System.Diagnostics;
using System.Diagnostics.Metrics;
using Alt.Domain;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>
/// Metrics of the meter <c>Alt.Activities</c> and traces of the source of that name (docs/operations.md lists them). Without a listener
/// each measurement is one comparison, and no span is made.
/// </summary>
internal static class StageTelemetry
{
    public const string Name = "Alt.Activities";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);

    // From bookkeeping of milliseconds to training of hours.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [.01, .05, .1, .5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400],
    };

    private static readonly Histogram<double> Duration =
        Meter.CreateHistogram("alt.activity.duration", "s", "One attempt, from its start to its end.", null, Seconds);

    private static readonly Histogram<double> QueueTime =
        Meter.CreateHistogram("alt.activity.queue_time", "s", "From an attempt's schedule to its start by a worker.", null, Seconds);

    private static readonly Counter<long> SampledTokens =
        Meter.CreateCounter<long>("alt.sampling.tokens", "{token}", "Tokens drawn from a policy.");

    private static readonly Gauge<double> Throughput =
        Meter.CreateGauge<double>("alt.sampling.throughput", "{token}/s", "Of the last chunk.");

    private static readonly Counter<long> Samples =
        Meter.CreateCounter<long>("alt.feedback.samples", "{sample}", "Samples by how their judgement ended.");

    public static Measurement Measure(StageWork work, ActivityInfo info) => new(work, info);

    public static void Sampled(string run, IterationEvent.ChunkFinished chunk)
    {
        var tags = new TagList { { "alt.run", run }, { "alt.stage", chunk.Stage.ToString() } };
        SampledTokens.Add(chunk.Tokens, tags);
        if (chunk.Seconds > 0)
        {
            Throughput.Record(chunk.Tokens / chunk.Seconds, tags);
        }
    }

    /// <summary>Counts each of an iteration's samples once, by its last outcome.</summary>
    public static void Judged(string run, IterationEvent.FeedbackCollected sums)
    {
        if (!Samples.Enabled)
        {
            return;
        }

        Count("labelled", sums.Labelled);
        Count("abstained", sums.Abstained);
        Count("unparsed", sums.Unparsed);
        Count("failed", sums.Failed);
        Count("vetoed", sums.Vetoed);

        void Count(string outcome, int samples) =>
            Samples.Add(samples, new TagList { { "alt.run", run }, { "alt.outcome", outcome }, { "alt.judge", sums.Judge } });
    }

    /// <summary>One attempt under way; measured when it is disposed.</summary>
    internal sealed class Measurement : IDisposable
    {
        private readonly StageWork _work;
        private readonly long _start = Stopwatch.GetTimestamp();
        private readonly System.Diagnostics.Activity? _span;

        public Measurement(StageWork work, ActivityInfo info)
        {
            _work = work;
            // The server's clock for both; a resent task may seem to start a little before its schedule.
            QueueTime = TimeSpan.FromTicks(Math.Max(0, (info.StartedTime - info.CurrentAttemptScheduledTime).Ticks));
            StageTelemetry.QueueTime.Record(QueueTime.TotalSeconds, work.Tags);
            if ((_span = Source.StartActivity(work.Name, ActivityKind.Consumer)) is not null)
            {
                _span.SetTag("alt.run", work.Run).SetTag("alt.iteration", work.Iteration).SetTag("alt.chunk", work.Chunk);
                _span.SetTag("alt.stage", work.Stage?.ToString()).SetTag("alt.activity", work.Activity).SetTag("alt.attempt", info.Attempt);
                _span.SetTag("alt.queue_time", QueueTime.TotalSeconds).SetTag("temporal.workflow_id", info.WorkflowId);
            }
        }

        public TimeSpan QueueTime { get; }

        public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

        public string Outcome { get; set; } = "failed";

        /// <param name="sentence">Without a stack trace: a trace's backend shows it to people.</param>
        public void Fail(string type, string sentence) => _span?.SetStatus(ActivityStatusCode.Error, sentence).SetTag("error.type", type);

        public void Dispose()
        {
            var tags = _work.Tags;
            tags.Add("alt.outcome", Outcome);
            Duration.Record(Elapsed.TotalSeconds, tags);
            _span?.SetTag("alt.outcome", Outcome);
            _span?.Dispose();
        }
    }
}
