using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Alt.Infra.Calls;

/// <summary>Calls to remote judges as metrics of the meter <c>Alt.Calls</c> (docs/operations.md lists them).</summary>
internal static class CallTelemetry
{
    private static readonly Meter Meter = new("Alt.Calls");

    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900],
    };

    private static readonly Counter<long> Calls =
        Meter.CreateCounter<long>("alt.judge.calls", "{call}", "Calls by how they ended; those answered from the cache included.");

    private static readonly Counter<long> Attempts =
        Meter.CreateCounter<long>("alt.judge.attempts", "{attempt}", "Requests that were sent, retries included.");

    private static readonly Counter<long> Tokens =
        Meter.CreateCounter<long>("alt.judge.tokens", "{token}", "Tokens that were paid for.");

    private static readonly Counter<double> Cost =
        Meter.CreateCounter<double>("alt.judge.cost", "{USD}", "Money that was paid for replies.");

    private static readonly Histogram<double> Duration =
        Meter.CreateHistogram("alt.judge.duration", "s", "From a call to its end; waits included.", null, Seconds);

    /// <param name="sent">How many requests this call has sent; 0 if the reply already existed.</param>
    /// <param name="paid">The reply that this call received; null if there is none, or if another call had received it.</param>
    public static void Record(RemoteAccount account, string run, CallOutcome outcome, int sent, StoredReply? paid, TimeSpan elapsed)
    {
        if (!Calls.Enabled)
        {
            return;
        }

        var tags = new TagList { { "alt.run", run }, { "alt.model", account.Model }, { "server.address", account.Endpoint.Host } };
        var ended = tags;
        ended.Add("alt.outcome", outcome switch
        {
            CallOutcome.Answered => paid is null ? "cached" : "answered",
            CallOutcome.OverBudget => "over_budget",
            CallOutcome.Failed { Kind: CallFailure.RateLimited } => "rate_limited",
            CallOutcome.Failed { Kind: CallFailure.ServerError } => "server_error",
            CallOutcome.Failed { Kind: CallFailure.Timeout } => "timeout",
            CallOutcome.Failed { Kind: CallFailure.Connection } => "connection",
            CallOutcome.Failed { Kind: CallFailure.CutOff } => "cut_off",
            CallOutcome.Failed { Kind: CallFailure.Refused } => "refused",
            _ => "left_alone",
        });
        Calls.Add(1, ended);
        Duration.Record(elapsed.TotalSeconds, ended);
        Attempts.Add(sent, tags);
        if (paid is not null)
        {
            Cost.Add((double)paid.Cost, tags);
            Count("input", paid.InputTokens);
            Count("output", paid.OutputTokens);
        }

        void Count(string direction, int tokens)
        {
            var directed = tags;
            directed.Add("alt.direction", direction);
            Tokens.Add(tokens, directed);
        }
    }
}
