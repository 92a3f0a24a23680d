using Microsoft.Extensions.Logging;
using Temporalio.Activities;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker.Execution;
using RetryPolicy = Temporalio.Common.RetryPolicy;

namespace Temporalio.Worker;

/// <summary>Runs local activities with their retries.</summary>
internal sealed class LocalActivityRunner(IWorkerClient client, TemporalWorkerOptions options, ActivityRegistry registry) : IDisposable
{
    private static readonly TimeSpan DefaultRetryThreshold = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim slots = new(options.MaxConcurrentLocalActivities ?? 100);

    private DataConverter Converter => client.Options.DataConverter;

    public void Dispose() => slots.Dispose();

    /// <summary>Runs a local activity until it succeeds, must not be retried, or has to wait too long.</summary>
    /// <param name="task">The activity.</param>
    /// <param name="abandoned">Cancelled when nobody wants the outcome any more.</param>
    public async Task<LocalActivityOutcome> RunAsync(LocalActivityTask task, CancellationToken abandoned)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(task.Cancellation, abandoned);
        var policy = task.Options.RetryPolicy ?? new RetryPolicy();
        for (var attempt = task.Attempt; ; attempt++)
        {
            await slots.WaitAsync(abandoned);
            Exception error;
            try
            {
                var result = await AttemptAsync(task, attempt, stop.Token);
                return new(task.Sequence, task.Id, task.Type, attempt, result, null);
            }
#pragma warning disable CA1031 // Every exception of user code is an outcome.
            catch (Exception e)
            {
                error = e;
            }
#pragma warning restore CA1031
            finally
            {
                slots.Release();
            }
            if (stop.IsCancellationRequested && TemporalException.IsCanceledException(error))
            {
                error = error as CanceledFailureException ?? new CanceledFailureException("Activity cancelled");
                return await FailedAsync(task, attempt, error);
            }
            if (NextWait(task, policy, attempt, error) is not { } wait)
            {
                return await FailedAsync(task, attempt, error);
            }
            if (wait > (task.Options.LocalRetryThreshold ?? DefaultRetryThreshold))
            {
                return new(task.Sequence, task.Id, task.Type, attempt, null, null, wait);
            }
            await Task.WhenAny(Task.Delay(wait, stop.Token));
        }
    }

    private async Task<Payloads> AttemptAsync(LocalActivityTask task, int attempt, CancellationToken stop)
    {
        using var cancellation = new ActivityCancellation();
        using var onStop = stop.Register(() => cancellation.Cancel(ActivityCancelReason.CancelRequested));
        var context = new ActivityExecutionContext(
            CreateInfo(task, attempt),
            cancellation,
            CancellationToken.None,
            options.LoggerFactory!.CreateLogger($"Temporalio.Activity:{task.Type}"),
            Converter.PayloadConverter,
            client as ITemporalClient,
            // The worker knows that it is alive.
            _ => { });
        var running = options.ActivityTaskFactory.StartNew(() => InvokeAsync(task, context), CancellationToken.None).Unwrap();
        var timeout = Remaining(task, task.Options.StartToCloseTimeout);
        try
        {
            return Converter.PayloadConverter.ToPayloads([timeout is { } limit ? await running.WaitAsync(limit, CancellationToken.None) : await running]);
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            cancellation.Cancel(ActivityCancelReason.Timeout);
            throw new TimeoutFailureException($"Local activity {task.Type} took too long", null, TimeoutType.StartToClose);
        }
    }

    private async Task<object?> InvokeAsync(LocalActivityTask task, ActivityExecutionContext context)
    {
        ActivityExecutionContext.AsyncLocalCurrent.Value = context;
        var definition = registry.Find(task.Type);
        // The codec is for what leaves the process.
        return await definition.InvokeAsync(await ActivityArguments.DecodeAsync(definition, task.Input.Payloads_.ToArray(), Converter with { PayloadCodec = null }));
    }

    private Task<LocalActivityOutcome> FailedAsync(LocalActivityTask task, int attempt, Exception error) => Task.FromResult(new LocalActivityOutcome(
        task.Sequence, task.Id, task.Type, attempt, null, Converter.FailureConverter.ToFailure(error, Converter.PayloadConverter)));

    private static TimeSpan? NextWait(LocalActivityTask task, RetryPolicy policy, int attempt, Exception error)
    {
        var application = error as ApplicationFailureException;
        var type = application is null ? error.GetType().Name : application.ErrorType;
        if (application is { NonRetryable: true } || (policy.MaximumAttempts > 0 && attempt >= policy.MaximumAttempts)
            || (type is not null && policy.NonRetryableErrorTypes?.Contains(type) == true))
        {
            return null;
        }
        var exponential = policy.InitialInterval.TotalSeconds * Math.Pow(policy.BackoffCoefficient, attempt - 1);
        var longest = policy.MaximumInterval ?? policy.InitialInterval * 100;
        var wait = application?.NextRetryDelay ?? TimeSpan.FromSeconds(Math.Min(exponential, longest.TotalSeconds));
        return Remaining(task, null) is { } left && left <= wait ? null : wait;
    }

    // The time that is left of the timeout of all attempts, or the timeout of one if that is less.
    private static TimeSpan? Remaining(LocalActivityTask task, TimeSpan? oneAttempt)
    {
        if (task.Options.ScheduleToCloseTimeout is not { } all)
        {
            return oneAttempt;
        }
        var left = task.ScheduledTime + all - DateTime.UtcNow;
        left = left < TimeSpan.Zero ? TimeSpan.Zero : left;
        return oneAttempt < left ? oneAttempt : left;
    }

    private ActivityInfo CreateInfo(LocalActivityTask task, int attempt) => new(
        ActivityId: task.Id,
        ActivityType: task.Type,
        Attempt: attempt,
        CurrentAttemptScheduledTime: DateTime.UtcNow,
        DataConverter: Converter,
        HeartbeatDetails: [],
        HeartbeatTimeout: null,
        IsLocal: true,
        ScheduleToCloseTimeout: task.Options.ScheduleToCloseTimeout,
        ScheduledTime: task.ScheduledTime,
        StartToCloseTimeout: task.Options.StartToCloseTimeout,
        StartedTime: DateTime.UtcNow,
        TaskQueue: options.TaskQueue!,
        TaskToken: [],
        WorkflowId: task.Workflow.WorkflowId,
        WorkflowNamespace: task.Workflow.Namespace,
        WorkflowRunId: task.Workflow.RunId,
        WorkflowType: task.Workflow.WorkflowType);
}
