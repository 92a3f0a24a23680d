using System.Security.Authentication;
using Polly;
using Polly.Retry;
using Temporalio.Exceptions;

namespace Temporalio.Client.Grpc;

/// <summary>Repeats calls that may succeed later.</summary>
internal static class RpcRetry
{
    /// <summary>Repeats for about ten seconds; for calls that somebody waits for.</summary>
    public static ResiliencePipeline Briefly { get; } = Build(attempts: 6, maximumDelay: TimeSpan.FromSeconds(5));

    /// <summary>Repeats until cancelled; for what must arrive: polls, completions, the wait for a result.</summary>
    public static ResiliencePipeline Patiently { get; } = Build(attempts: int.MaxValue, maximumDelay: TimeSpan.FromSeconds(2));

    // A certificate that does not fit will not fit the next time.
    public static bool IsTransient(RpcException e) => e.GetBaseException() is not AuthenticationException && e.Code is RpcException.StatusCode.Unavailable or RpcException.StatusCode.ResourceExhausted
        or RpcException.StatusCode.Aborted or RpcException.StatusCode.Internal or RpcException.StatusCode.Unknown
        or RpcException.StatusCode.OutOfRange or RpcException.StatusCode.DataLoss;

    private static ResiliencePipeline Build(int attempts, TimeSpan maximumDelay) => new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<RpcException>(IsTransient),
            MaxRetryAttempts = attempts,
            Delay = TimeSpan.FromMilliseconds(100),
            MaxDelay = maximumDelay,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        })
        .Build();
}
