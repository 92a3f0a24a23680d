using System.Globalization;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker.Execution;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>Activities.</content>
internal sealed partial class WorkflowInstance
{
    // By the ID of the event that scheduled them.
    private readonly Dictionary<long, PendingActivity> activities = [];
    private int activityCount;

    public Task<TResult> ExecuteActivityAsync<TResult>(string type, IReadOnlyCollection<object?> arguments, ActivityOptions options)
    {
        if (options.StartToCloseTimeout is null && options.ScheduleToCloseTimeout is null)
        {
            throw new ArgumentException("Activity options must have StartToCloseTimeout or ScheduleToCloseTimeout");
        }
        var token = options.CancellationToken ?? CancellationToken;
        if (token.IsCancellationRequested)
        {
            return Task.FromException<TResult>(new CanceledFailureException("Activity cancelled before scheduled"));
        }
        var id = options.ActivityId ?? (activityCount + 1).ToString(CultureInfo.InvariantCulture);
        activityCount++;
        var activity = new PendingActivity(type, id, options.CancellationType);
        activity.Scheduled = ledger.Add(new(
            ScheduleCommand(type, id, arguments, options),
            EventType.ActivityTaskScheduled,
            $"activity {type}",
            evt => PendingCommand.Compare("activity type", evt.ActivityTaskScheduledEventAttributes.ActivityType.Name, type)
                ?? PendingCommand.Compare("activity ID", evt.ActivityTaskScheduledEventAttributes.ActivityId, id),
            evt =>
            {
                activity.ScheduledEventId = evt.EventId;
                activities[evt.EventId] = activity;
            }));
        return ActivityResultAsync<TResult>(activity, token);
    }

    private Command ScheduleCommand(string type, string id, IReadOnlyCollection<object?> arguments, ActivityOptions options) => new()
    {
        CommandType = CommandType.ScheduleActivityTask,
        ScheduleActivityTaskCommandAttributes = new()
        {
            ActivityId = id,
            ActivityType = new() { Name = type },
            TaskQueue = new() { Name = options.TaskQueue ?? Info.TaskQueue },
            Input = converter.ToPayloads(arguments),
            ScheduleToCloseTimeout = options.ScheduleToCloseTimeout.ToProto(),
            ScheduleToStartTimeout = options.ScheduleToStartTimeout.ToProto(),
            StartToCloseTimeout = options.StartToCloseTimeout.ToProto(),
            HeartbeatTimeout = options.HeartbeatTimeout.ToProto(),
            RetryPolicy = options.RetryPolicy?.ToProto(),
            RequestEagerExecution = !options.DisableEagerActivityExecution && (options.TaskQueue ?? Info.TaskQueue) == Info.TaskQueue,
        },
        UserMetadata = Summary(options.Summary),
    };

    private async Task<TResult> ActivityResultAsync<TResult>(PendingActivity activity, CancellationToken token)
    {
        using var onCancel = token.Register(() => CancelActivity(activity));
        var result = await activity.Result.Task;
        if (typeof(TResult) == typeof(ValueTuple))
        {
            return default!;
        }
        return result is null || result.Payloads_.Count == 0 ? default! : converter.ToValue<TResult>(result.Payloads_[0]);
    }

    private void CancelActivity(PendingActivity activity)
    {
        if (activity.Result.Task.IsCompleted)
        {
            return;
        }
        // Not sent yet: then it never was.
        if (ledger.Withdraw(activity.Scheduled!))
        {
            activity.Result.TrySetException(ActivityCanceled(activity));
            return;
        }
        if (activity.CancellationType != ActivityCancellationType.Abandon && !activity.CancelRequested)
        {
            activity.CancelRequested = true;
            ledger.Add(new(
                new()
                {
                    CommandType = CommandType.RequestCancelActivityTask,
                    RequestCancelActivityTaskCommandAttributes = new() { ScheduledEventId = activity.ScheduledEventId },
                },
                EventType.ActivityTaskCancelRequested,
                $"activity {activity.Type}",
                evt => evt.ActivityTaskCancelRequestedEventAttributes.ScheduledEventId == activity.ScheduledEventId ? null : "it is about another activity"));
        }
        if (activity.CancellationType != ActivityCancellationType.WaitCancellationCompleted)
        {
            activity.Result.TrySetException(ActivityCanceled(activity));
        }
    }

    private void ResolveActivity(HistoryEvent evt)
    {
        var scheduledEventId = evt.ActivityTaskCompletedEventAttributes?.ScheduledEventId ?? evt.ActivityTaskFailedEventAttributes?.ScheduledEventId
            ?? evt.ActivityTaskTimedOutEventAttributes?.ScheduledEventId ?? evt.ActivityTaskCanceledEventAttributes.ScheduledEventId;
        if (!activities.Remove(scheduledEventId, out var activity))
        {
            throw new WorkflowNondeterminismException($"[TMPRL1100] Nondeterminism error: event {evt.EventId} ends an activity that was not scheduled", "");
        }
        if (evt.ActivityTaskCompletedEventAttributes is { } completed)
        {
            activity.Result.TrySetResult(completed.Result);
            return;
        }
        var (cause, retryState, identity) = evt switch
        {
            { ActivityTaskFailedEventAttributes: { } failed } => (failed.Failure, failed.RetryState, failed.Identity),
            { ActivityTaskTimedOutEventAttributes: { } timedOut } => (timedOut.Failure, timedOut.RetryState, ""),
            _ => (Canceled("Activity cancelled", evt.ActivityTaskCanceledEventAttributes.Details), RetryState.Unspecified, evt.ActivityTaskCanceledEventAttributes.Identity),
        };
        activity.Result.TrySetException(ActivityFailed(activity, cause, retryState, identity));
    }

    private Exception ActivityCanceled(PendingActivity activity) =>
        ActivityFailed(activity, Canceled("Activity cancelled", null), RetryState.Unspecified, "");

    private Exception ActivityFailed(PendingActivity activity, Failure cause, RetryState retryState, string identity) => failureConverter.ToException(
        new Failure
        {
            Message = cause.CanceledFailureInfo is null ? "Activity task failed" : "Activity cancelled",
            Cause = cause,
            ActivityFailureInfo = new()
            {
                ActivityType = new() { Name = activity.Type },
                ActivityId = activity.Id,
                ScheduledEventId = activity.ScheduledEventId,
                RetryState = retryState,
                Identity = identity,
            },
        },
        converter);

    private static Failure Canceled(string message, Payloads? details) => new() { Message = message, CanceledFailureInfo = new() { Details = details } };

    private sealed class PendingActivity(string type, string id, ActivityCancellationType cancellationType)
    {
        public string Type => type;

        public string Id => id;

        public ActivityCancellationType CancellationType => cancellationType;

        public PendingCommand? Scheduled { get; set; }

        public long ScheduledEventId { get; set; }

        public bool CancelRequested { get; set; }

        public TaskCompletionSource<Payloads?> Result { get; } = new();
    }
}
