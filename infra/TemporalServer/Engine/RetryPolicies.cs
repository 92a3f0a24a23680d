using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;

namespace TemporalServer.Engine;

/// <summary>Temporal's retry policy: its defaults, and when the next attempt starts.</summary>
internal static class RetryPolicies
{
    private static readonly TimeSpan DefaultInitialInterval = TimeSpan.FromSeconds(1);
    private const double DefaultCoefficient = 2;
    private const int DefaultMaximumIntervalFactor = 100;

    /// <summary>A copy in which every unset field has its default.</summary>
    public static RetryPolicy WithDefaults(RetryPolicy? policy)
    {
        var full = policy?.Clone() ?? new RetryPolicy();
        if (!full.InitialInterval.IsSet())
        {
            full.InitialInterval = Duration.FromTimeSpan(DefaultInitialInterval);
        }

        if (full.BackoffCoefficient == 0)
        {
            full.BackoffCoefficient = DefaultCoefficient;
        }

        if (!full.MaximumInterval.IsSet())
        {
            full.MaximumInterval = Duration.FromTimeSpan(full.InitialInterval.ToTimeSpan() * DefaultMaximumIntervalFactor);
        }

        return full;
    }

    /// <summary>Why the policy is not valid, or null.</summary>
    public static string? Fault(RetryPolicy? policy) => policy switch
    {
        null => null,
        { InitialInterval.Seconds: < 0 } => "InitialInterval cannot be negative on retry policy.",
        { BackoffCoefficient: not 0 and < 1 } => "BackoffCoefficient cannot be less than 1 on retry policy.",
        { MaximumInterval.Seconds: < 0 } => "MaximumInterval cannot be negative on retry policy.",
        { MaximumAttempts: < 0 } => "MaximumAttempts cannot be negative on retry policy.",
        _ => null,
    };

    /// <summary>
    /// Decides about another attempt after <paramref name="attempt"/> failed: its back-off, or null and the reason for no retry.
    /// </summary>
    /// <param name="deadline">No attempt starts after this.</param>
    public static (TimeSpan? Backoff, RetryState State) Next(
        RetryPolicy? policy, int attempt, Failure? failure, DateTime now, DateTime? deadline)
    {
        if (policy is null)
        {
            return (null, RetryState.RetryPolicyNotSet);
        }

        if (!IsRetryable(failure, policy))
        {
            return (null, RetryState.NonRetryableFailure);
        }

        if (policy.MaximumAttempts > 0 && attempt >= policy.MaximumAttempts)
        {
            return (null, RetryState.MaximumAttemptsReached);
        }

        var backoff = failure?.ApplicationFailureInfo?.NextRetryDelay is { } delay ? delay.ToTimeSpan() : Backoff(policy, attempt);
        return deadline is { } end && now + backoff > end ? (null, RetryState.Timeout) : (backoff, RetryState.InProgress);
    }

    private static TimeSpan Backoff(RetryPolicy policy, int attempt)
    {
        var seconds = policy.InitialInterval.ToTimeSpan().TotalSeconds * Math.Pow(policy.BackoffCoefficient, attempt - 1);
        return TimeSpan.FromSeconds(Math.Min(seconds, policy.MaximumInterval.ToTimeSpan().TotalSeconds));
    }

    private static bool IsRetryable(Failure? failure, RetryPolicy policy) => failure?.FailureInfoCase switch
    {
        Failure.FailureInfoOneofCase.ApplicationFailureInfo =>
            !failure.ApplicationFailureInfo.NonRetryable && !policy.NonRetryableErrorTypes.Contains(failure.ApplicationFailureInfo.Type),
        Failure.FailureInfoOneofCase.TimeoutFailureInfo =>
            failure.TimeoutFailureInfo.TimeoutType is TimeoutType.StartToClose or TimeoutType.Heartbeat
            && !policy.NonRetryableErrorTypes.Contains("TemporalTimeout:" + failure.TimeoutFailureInfo.TimeoutType),
        Failure.FailureInfoOneofCase.ServerFailureInfo => !failure.ServerFailureInfo.NonRetryable,
        Failure.FailureInfoOneofCase.CanceledFailureInfo or Failure.FailureInfoOneofCase.TerminatedFailureInfo => false,
        _ => true,
    };
}
