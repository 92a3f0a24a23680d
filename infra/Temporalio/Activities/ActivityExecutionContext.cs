using Microsoft.Extensions.Logging;
using Temporalio.Client;
using Temporalio.Converters;

namespace Temporalio.Activities;

/// <summary>The running activity as its code sees it; flows with async calls.</summary>
public class ActivityExecutionContext
{
    private readonly Action<object?[]> heartbeater;
    private readonly ActivityCancellation cancellation;
    private readonly ITemporalClient? temporalClient;

    internal ActivityExecutionContext(
        ActivityInfo info,
        ActivityCancellation cancellation,
        CancellationToken workerShutdownToken,
        ILogger logger,
        IPayloadConverter payloadConverter,
        ITemporalClient? temporalClient,
        Action<object?[]> heartbeater)
    {
        Info = info;
        this.cancellation = cancellation;
        WorkerShutdownToken = workerShutdownToken;
        Logger = logger;
        PayloadConverter = payloadConverter;
        this.temporalClient = temporalClient;
        this.heartbeater = heartbeater;
    }

    /// <summary>Whether the current code runs in an activity.</summary>
    public static bool HasCurrent => AsyncLocalCurrent.Value is not null;

    /// <summary>The current activity.</summary>
    /// <exception cref="InvalidOperationException">The current code does not run in one.</exception>
    public static ActivityExecutionContext Current => AsyncLocalCurrent.Value ?? throw new InvalidOperationException("No current context");

    /// <summary>What is known about the activity.</summary>
    public ActivityInfo Info { get; }

    /// <summary>Logger whose scope names the activity and its workflow.</summary>
    public ILogger Logger { get; }

    /// <summary>Why the activity was cancelled.</summary>
    public ActivityCancelReason CancelReason => cancellation.Reason;

    /// <summary>Cancelled when the activity is. Cancellation by the workflow arrives with heartbeats only.</summary>
    public CancellationToken CancellationToken => cancellation.Token;

    /// <summary>
    /// Cancelled when the worker shuts down; <see cref="CancellationToken"/> follows after the worker's graceful shutdown timeout.
    /// </summary>
    public CancellationToken WorkerShutdownToken { get; }

    /// <summary>The worker's payload converter.</summary>
    public IPayloadConverter PayloadConverter { get; }

    /// <summary>The worker's client.</summary>
    /// <exception cref="InvalidOperationException">There is none, as in a test environment.</exception>
    public ITemporalClient TemporalClient => temporalClient ?? throw new InvalidOperationException("No Temporal client available");

    internal static AsyncLocal<ActivityExecutionContext?> AsyncLocalCurrent { get; } = new();

    /// <summary>
    /// Tells the server that the activity is alive, and how far it has come: a retry reads the details from
    /// <see cref="ActivityInfo.HeartbeatDetails"/>. May be called at any rate; what is sent is throttled to 0.8 of the heartbeat timeout.
    /// </summary>
    public void Heartbeat(params object?[] details) => heartbeater(details);
}
