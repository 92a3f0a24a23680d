using System.Globalization;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker.Execution;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>Local activities: run between two steps of one workflow task, kept in the history as markers.</content>
internal sealed partial class WorkflowInstance
{
    private readonly Dictionary<int, PendingLocalActivity> localActivities = [];
    private int localActivityCount;

    /// <summary>Whether the workflow waits for local activities.</summary>
    public bool HasLocalActivities => localActivities.Count > 0;

    /// <summary>The local activities that have been asked for since the last call and have no outcome.</summary>
    public IReadOnlyList<LocalActivityTask> TakeLocalActivities()
    {
        var untaken = localActivities.Values.Where(pending => !pending.Taken).ToArray();
        foreach (var pending in untaken)
        {
            pending.Taken = true;
        }
        return untaken.Select(pending => pending.Task).ToArray();
    }

    /// <summary>Lets the code go on with a local activity's outcome. Nothing happens if it no longer waits for it.</summary>
    public void ResolveLocalActivity(LocalActivityOutcome outcome) => RunWithoutContext(() =>
    {
        if (localActivities.Remove(outcome.Sequence, out var pending))
        {
            // On replay the outcome comes from the history: the ledger must compare it with what the code asked for.
            ledger.Add(LocalActivityMarker.Command(outcome with { Id = pending.Task.Id, Type = pending.Task.Type }));
            pending.Outcome.TrySetResult(outcome);
            RunUntilBlocked();
        }
    });

    public async Task<TResult> ExecuteLocalActivityAsync<TResult>(string type, IReadOnlyCollection<object?> arguments, LocalActivityOptions options)
    {
        if (options.StartToCloseTimeout is null && options.ScheduleToCloseTimeout is null)
        {
            throw new ArgumentException("Activity options must have StartToCloseTimeout or ScheduleToCloseTimeout");
        }
        var token = options.CancellationToken ?? CancellationToken;
        if (token.IsCancellationRequested)
        {
            throw new CanceledFailureException("Activity cancelled before scheduled");
        }
        var id = options.ActivityId ?? (activityCount + 1).ToString(CultureInfo.InvariantCulture);
        activityCount++;
        var input = converter.ToPayloads(arguments);
        var scheduledTime = UtcNow;
        for (var attempt = 1; ;)
        {
            var outcome = await RunLocalActivityAsync(new(++localActivityCount, id, type, input, options, attempt, scheduledTime, Info, CancellationToken.None), token);
            if (outcome.Backoff is { } backoff)
            {
                await DelayAsync(new(backoff, null, token));
                attempt = outcome.Attempt + 1;
                continue;
            }
            if (outcome.Failure is { } failure)
            {
                throw LocalActivityFailed(outcome, failure);
            }
            return typeof(TResult) == typeof(ValueTuple) || outcome.Result is not { Payloads_.Count: > 0 } result
                ? default!
                : converter.ToValue<TResult>(result.Payloads_[0]);
        }
    }

    private async Task<LocalActivityOutcome> RunLocalActivityAsync(LocalActivityTask task, CancellationToken token)
    {
        using var stop = new CancellationTokenSource();
        var pending = new PendingLocalActivity(task with { Cancellation = stop.Token });
        localActivities[task.Sequence] = pending;
        using var onCancel = token.Register(() =>
        {
            if (task.Options.CancellationType != ActivityCancellationType.Abandon)
            {
                // Its code runs on other threads; they must not run this workflow's.
                _ = stop.CancelAsync();
            }
            if (task.Options.CancellationType != ActivityCancellationType.WaitCancellationCompleted && localActivities.Remove(task.Sequence))
            {
                var outcome = new LocalActivityOutcome(task.Sequence, task.Id, task.Type, task.Attempt, null, Canceled("Activity cancelled", null));
                ledger.Add(LocalActivityMarker.Command(outcome));
                pending.Outcome.TrySetResult(outcome);
            }
        });
        return await pending.Outcome.Task;
    }

    private Exception LocalActivityFailed(LocalActivityOutcome outcome, Failure cause) => failureConverter.ToException(
        new Failure
        {
            Message = cause.CanceledFailureInfo is null ? "Activity task failed" : "Activity cancelled",
            Cause = cause,
            ActivityFailureInfo = new()
            {
                ActivityType = new() { Name = outcome.Type },
                ActivityId = outcome.Id,
                RetryState = cause.CanceledFailureInfo is null ? RetryState.MaximumAttemptsReached : RetryState.CancelRequested,
            },
        },
        converter);

    private sealed class PendingLocalActivity(LocalActivityTask task)
    {
        public LocalActivityTask Task => task;

        public bool Taken { get; set; }

        public TaskCompletionSource<LocalActivityOutcome> Outcome { get; } = new();
    }
}
