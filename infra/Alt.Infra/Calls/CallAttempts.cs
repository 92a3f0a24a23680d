using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Alt.Infra.Calls;

/// <summary>How one attempt ended: with an outcome, or with a failure that may pass.</summary>
internal readonly record struct AttemptEnd(
    CallOutcome? Outcome, CallFailure Failure = default, string Reason = "", TimeSpan? RetryAfter = null);

/// <summary>The times between attempts.</summary>
public sealed record CallPatience
{
    /// <summary>The median wait before the second attempt; waits grow by powers of two, with decorrelated jitter.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(.5);

    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>If a service asks for a longer wait than this, the call fails.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long no call is sent to a service once nearly all calls to it fail.</summary>
    public TimeSpan Break { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>Polly's strategies around an account's attempts. Each process has its own.</summary>
internal sealed partial class CallAttempts
{
    // Opened by a service that is down, not by an unreliable one: if 30 % of calls fail, 18 of 20 fail with a probability of
    // 4 in 10^8.
    private const double FailureRatio = .9;
    private const int MinimumThroughput = 20;
    private static readonly TimeSpan Sampling = TimeSpan.FromSeconds(10);

    private readonly ResiliencePipeline<AttemptEnd> _attempts;
    private readonly ResiliencePipeline<TransportReply> _sending;

    /// <param name="opened">Called with the time for which calls to the service pause.</param>
    public CallAttempts(RemoteAccount account, CallPatience patience, Action<TimeSpan> opened, ILogger logger)
    {
        var retry = new ResiliencePipelineBuilder<AttemptEnd>();
        if (account.Calls.Attempts > 1)
        {
            retry.AddRetry(new RetryStrategyOptions<AttemptEnd>
            {
                MaxRetryAttempts = account.Calls.Attempts - 1,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = patience.Delay,
                MaxDelay = patience.LongestDelay,
                DelayGenerator = static a => ValueTask.FromResult(a.Outcome.Result.RetryAfter),
                ShouldHandle = a => ValueTask.FromResult(a.Outcome.Exception is null
                    && a.Outcome.Result is { Outcome: null } end && !(end.RetryAfter > patience.LongestRetryAfter)),
            });
        }

        _attempts = retry.Build();
        _sending = new ResiliencePipelineBuilder<TransportReply>()
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<TransportReply>
            {
                FailureRatio = FailureRatio,
                MinimumThroughput = MinimumThroughput,
                SamplingDuration = Sampling,
                BreakDuration = patience.Break,
                ShouldHandle = static a => ValueTask.FromResult(a.Outcome.Exception is HttpRequestException or TimeoutRejectedException
                    || a.Outcome.Result is { Status: >= 500 } or { Body: null }),
                OnOpened = a =>
                {
                    LogOpened(logger, account.Endpoint.Host, account.Model, a.BreakDuration);
                    opened(a.BreakDuration);
                    return ValueTask.CompletedTask;
                },
            })
            .AddTimeout(TimeSpan.FromSeconds(account.Calls.TimeoutSeconds))
            .Build();
    }

    public ValueTask<AttemptEnd> RepeatAsync(Func<CancellationToken, ValueTask<AttemptEnd>> attempt, CancellationToken token) =>
        _attempts.ExecuteAsync(static (attempt, token) => attempt(token), attempt, token);

    /// <exception cref="HttpRequestException">The connection was lost before a status line.</exception>
    /// <exception cref="TimeoutRejectedException">The time for one attempt has passed.</exception>
    /// <exception cref="BrokenCircuitException">Not sent: calls to the service are paused.</exception>
    public ValueTask<TransportReply> SendAsync(Func<CancellationToken, Task<TransportReply>> send, CancellationToken token) =>
        _sending.ExecuteAsync(static async (send, token) => await send(token), send, token);

    [LoggerMessage(LogLevel.Warning, "{Host}, {Model}: nearly all calls fail; no call is sent for {Time}")]
    private static partial void LogOpened(ILogger logger, string host, string model, TimeSpan time);
}
