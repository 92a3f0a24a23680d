using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Alt.Domain;
using Alt.Infra.Calls;
using Alt.Rehearsal;

namespace Alt.Bench;

/// <summary>How fast a judge can be asked, through HTTP, quotas, budget and cache, with a rehearsal's judge in the same process.</summary>
/// <param name="CallsPerSecond">Without a quota; the median of the rounds.</param>
/// <param name="QuotaShare">
/// What the judge saw of a quota of requests per minute while 30 % of all calls went wrong, retries included; the median of the windows.
/// </param>
/// <param name="Load">The machine's load average over the minute before this began; above 0, it lowered the figures.</param>
public sealed record FeedbackFigures(double CallsPerSecond, double QuotaShare, double Load);

/// <summary>Measures <see cref="FeedbackFigures"/>.</summary>
public sealed class FeedbackBenchmark(string connection, Action<string> progress)
{
    private const int Rounds = 5, Calls = 6_000, AtOnce = 256;
    private const int Quota = 24_000, Windows = 5;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private static readonly string[] Wrong = ["429=.06", "429-retry-after=.06", "500=.06", "slow=.02", "dropped=.05", "truncated=.05"];

    private readonly string _run = $"bench-{Guid.NewGuid():N}";

    public async Task<FeedbackFigures> RunAsync(CancellationToken token)
    {
        var load = double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
        await using var calls = await RemoteCalls.OpenAsync(connection, token: token);
        return new FeedbackFigures(await SpeedAsync(calls, token), await ShareAsync(calls, token), load);
    }

    private async Task<double> SpeedAsync(RemoteCalls calls, CancellationToken token)
    {
        await using var server = await RehearsalServer.StartAsync(new(), token);
        var judge = new Judge(calls, server, new() { Concurrency = AtOnce }, _run);
        var speeds = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            var outcomes = await Task.WhenAll(Enumerable.Range(round * Calls, Calls).Select(i => judge.AskAsync(i, token)));
            if (outcomes.FirstOrDefault(o => o is not CallOutcome.Answered) is { } bad)
            {
                throw new InvalidOperationException($"the rehearsal's judge did not answer: {bad}");
            }

            if (round > 0)
            {
                speeds.Add(Calls / clock.Elapsed.TotalSeconds);
            }

            progress(
                round == 0 ? "warmed up" : string.Create(CultureInfo.InvariantCulture, $"{round} of {Rounds}: {speeds[^1]:N0} calls/s"));
        }

        return Median.Of(speeds);
    }

    private async Task<double> ShareAsync(RemoteCalls calls, CancellationToken token)
    {
        await using var server = await RehearsalServer.StartAsync(new() { Faults = Faults.Parse(Wrong, seed: 1) }, token);
        var judge = new Judge(
            calls, server, new() { Concurrency = AtOnce, RequestsPerMinute = Quota, TimeoutSeconds = 2 }, _run + "-quota");
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(token);
        // More than the windows can have, so that there is always something to send.
        var enoughCalls = (int)(Quota / 60.0 * Window.TotalSeconds * (Windows + 3));
        var asked = Task.WhenAll(Enumerable.Range(0, enoughCalls).Select(i => judge.AskAsync(i, enough.Token)));
        var shares = new List<double>();
        var (clock, before) = (Stopwatch.StartNew(), 0);
        for (var window = 0; window <= Windows; window++)
        {
            await Task.Delay(Window, token);
            var (seconds, now) = (clock.Elapsed.TotalSeconds, server.Counts.Requests);
            clock.Restart();
            if (window > 0)
            {
                shares.Add((now - before) / seconds / (Quota / 60.0));
            }

            progress(window == 0
                ? "the quota is in use"
                : string.Create(CultureInfo.InvariantCulture, $"{window} of {Windows}: {shares[^1]:P1} of the quota"));
            before = now;
        }

        await enough.CancelAsync();
        await ((Task)asked).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Median.Of(shares);
    }

    /// <summary>Asks about as much as a categorical judge is asked.</summary>
    private sealed class Judge(RemoteCalls calls, RehearsalServer server, CallsConfig config, string run)
    {
        private const int OutputTokens = 16;
        private static readonly string Examples = string.Concat(Enumerable.Range(0, 8).Select(i =>
            $"Human: How long should an egg boil, example {i}?\nAssistant: Six to seven minutes in boiling water, then cool it.\nFeedback: "
            + $"{(i % 2 == 0 ? "Helpful" : "Not helpful")}\n\n"));

        private readonly RemoteAccount _account = new($"{server.Address}/v1", "rehearsal", config, secret: null);
        private ChatCompletions Transport => field ??= new ChatCompletions(_account);

        public Task<CallOutcome> AskAsync(int sample, CancellationToken token)
        {
            var body = Encoding.UTF8.GetBytes(
                $$"""{"model":"rehearsal","messages":[{"role":"user","content":{{JsonSerializer.Serialize($"{Examples}Human: {run}?\nAssistant: {sample}\nFeedback:")}}}],"max_tokens":{{OutputTokens}}}""");
            var request = new RemoteRequest("chat", _account.Model, body, body.Length / 4, OutputTokens, $"{run}/1/{sample}/0");
            return calls.AskAsync(_account, new CallScope(run, 1, new()), request, Transport, token);
        }
    }
}
