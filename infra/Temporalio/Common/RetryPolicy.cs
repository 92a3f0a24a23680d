using Google.Protobuf.WellKnownTypes;

namespace Temporalio.Common;

/// <summary>How the server retries an activity or a workflow.</summary>
public record RetryPolicy
{
    /// <summary>Wait before the first retry. Default 1 second.</summary>
    public TimeSpan InitialInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Factor by which the wait grows with each retry. Default 2.</summary>
    public float BackoffCoefficient { get; init; } = 2.0f;

    /// <summary>Longest wait between two attempts. Default 100 times <see cref="InitialInterval"/>.</summary>
    public TimeSpan? MaximumInterval { get; init; }

    /// <summary>Attempts in all, the first included; 0, the default, is unlimited.</summary>
    public int MaximumAttempts { get; init; }

    /// <summary>Values of <c>ApplicationFailureException.ErrorType</c> that are never retried.</summary>
    public IReadOnlyCollection<string>? NonRetryableErrorTypes { get; init; }

    /// <summary>Reads a policy from its wire form.</summary>
    internal static RetryPolicy FromProto(Api.Common.V1.RetryPolicy proto) => new()
    {
        InitialInterval = proto.InitialInterval?.ToTimeSpan() ?? TimeSpan.FromSeconds(1),
        BackoffCoefficient = (float)proto.BackoffCoefficient,
        MaximumInterval = proto.MaximumInterval?.ToTimeSpan(),
        MaximumAttempts = proto.MaximumAttempts,
        NonRetryableErrorTypes = proto.NonRetryableErrorTypes.Count == 0 ? null : proto.NonRetryableErrorTypes,
    };

    /// <summary>Writes the policy in its wire form.</summary>
    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal Api.Common.V1.RetryPolicy ToProto()
    {
        if (InitialInterval <= TimeSpan.Zero)
        {
            throw new ArgumentException("Initial interval must be positive");
        }
        if (BackoffCoefficient < 1)
        {
            throw new ArgumentException("Backoff coefficient must be at least 1");
        }
        if (MaximumInterval < InitialInterval)
        {
            throw new ArgumentException("Maximum interval must not be less than the initial interval");
        }
        if (MaximumAttempts < 0)
        {
            throw new ArgumentException("Maximum attempts must not be negative");
        }
        var proto = new Api.Common.V1.RetryPolicy
        {
            InitialInterval = Duration.FromTimeSpan(InitialInterval),
            BackoffCoefficient = BackoffCoefficient,
            MaximumInterval = MaximumInterval is { } maximum ? Duration.FromTimeSpan(maximum) : null,
            MaximumAttempts = MaximumAttempts,
        };
        proto.NonRetryableErrorTypes.AddRange(NonRetryableErrorTypes ?? []);
        return proto;
    }
}
