using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Converters;

namespace Temporalio.Testing;

/// <summary>Runs activities in tests, without a worker or a server.</summary>
public record ActivityEnvironment
{
    private readonly ActivityCancellation cancellation = new();

    /// <summary>What activities see as their info unless told otherwise.</summary>
    public static ActivityInfo DefaultInfo { get; } = new(
        ActivityId: "test",
        ActivityType: "unknown",
        Attempt: 1,
        CurrentAttemptScheduledTime: DateTime.UnixEpoch,
        DataConverter: DataConverter.Default,
        HeartbeatDetails: [],
        HeartbeatTimeout: null,
        IsLocal: false,
        ScheduleToCloseTimeout: TimeSpan.FromSeconds(1),
        ScheduledTime: DateTime.UnixEpoch,
        StartToCloseTimeout: TimeSpan.FromSeconds(1),
        StartedTime: DateTime.UnixEpoch,
        TaskQueue: "test",
        TaskToken: "test"u8.ToArray(),
        WorkflowId: "test",
        WorkflowNamespace: "default",
        WorkflowRunId: "test-run",
        WorkflowType: "test");

    /// <summary>Info of the activity.</summary>
    public ActivityInfo Info { get; init; } = DefaultInfo;

    /// <summary>Logger. Default: none.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Payload converter.</summary>
    public IPayloadConverter PayloadConverter { get; init; } = DataConverter.Default.PayloadConverter;

    /// <summary>Client that activities see. Default: none.</summary>
    public ITemporalClient? TemporalClient { get; init; }

    /// <summary>Called with the details of each heartbeat.</summary>
    public Action<object?[]> Heartbeater { get; init; } = _ => { };

    /// <summary>Cancel it to make the activity see the worker's shutdown.</summary>
    public CancellationTokenSource WorkerShutdownTokenSource { get; init; } = new();

    /// <summary>Cancels the activity.</summary>
    public void Cancel(ActivityCancelReason reason = ActivityCancelReason.CancelRequested) => cancellation.Cancel(reason);

    /// <summary>Runs an activity.</summary>
    public Task RunAsync(Action activity) => RunAsync(() =>
    {
        activity();
        return Task.CompletedTask;
    });

    /// <summary>Runs an activity.</summary>
    /// <returns>Its result.</returns>
    public Task<T> RunAsync<T>(Func<T> activity) => RunAsync(() => Task.FromResult(activity()));

    /// <summary>Runs an activity.</summary>
    public Task RunAsync(Func<Task> activity) => RunAsync(async () =>
    {
        await activity();
        return true;
    });

    /// <summary>Runs an activity.</summary>
    /// <returns>Its result.</returns>
    public async Task<T> RunAsync<T>(Func<Task<T>> activity)
    {
        // Set inside an async method, the context ends with it.
        ActivityExecutionContext.AsyncLocalCurrent.Value = new(
            Info, cancellation, WorkerShutdownTokenSource.Token, Logger, PayloadConverter, TemporalClient, Heartbeater);
        return await activity();
    }
}
