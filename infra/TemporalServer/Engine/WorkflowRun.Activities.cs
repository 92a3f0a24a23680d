using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

// Activities. Only the server tracks attempts: history gets the started event only together with the closing one,
// holding the last attempt and the failure before it.
internal sealed partial class WorkflowRun
{
    /// <exception cref="RpcError">NOT_FOUND if the attempt has ended, for any reason.</exception>
    public Activity RequireStartedActivity(TaskToken token)
    {
        EnsureRunning();
        return State.Activities.TryGetValue(token.ScheduledEventId, out var activity)
            && activity.Started && activity.Attempt == token.Attempt
            ? activity
            : throw RpcError.NotFound("invalid activityID or activity already timed out or invoking workflow is completed");
    }

    /// <exception cref="RpcError">NOT_FOUND where no running activity has this id.</exception>
    public Activity RequireActivity(string activityId)
    {
        EnsureRunning();
        return State.Activities.Values.FirstOrDefault(a => a.ActivityId == activityId)
            ?? throw RpcError.NotFound(
                $"cannot find pending activity with ActivityID {activityId}, check workflow execution history for more details");
    }

    /// <summary>Gives an attempt to a worker. Returns null if it is not waiting any more.</summary>
    public Activity? StartActivity(long scheduledEventId, int attempt, string requestId, string identity)
    {
        if (!IsRunning || !State.Activities.TryGetValue(scheduledEventId, out var activity)
            || activity.Started || activity.BackingOff || activity.Attempt != attempt)
        {
            return null;
        }

        activity.Started = true;
        activity.StartedTime = NowStamp;
        activity.HeartbeatTime = null;
        activity.RequestId = requestId;
        activity.Identity = identity;
        Touch();
        return activity;
    }

    /// <summary>Records that an attempt is alive. Details that are too large fail the activity.</summary>
    /// <returns>Whether the attempt should stop.</returns>
    public bool Heartbeat(Activity activity, Payloads? details, string identity)
    {
        if (IsTooLarge(details))
        {
            FailActivity(activity, TooLargeFailure("Heartbeat details exceed size limit."), null, identity);
            return true;
        }

        activity.HeartbeatTime = NowStamp;
        activity.HeartbeatDetails = details;
        activity.Identity = identity;
        Touch();
        return activity.CancelRequestedEventId > 0;
    }

    public void CompleteActivity(Activity activity, Payloads? result, string identity)
    {
        if (IsTooLarge(result))
        {
            FailActivity(activity, TooLargeFailure("Complete result exceeds size limit."), null, identity);
            return;
        }

        var started = CloseActivity(activity);
        AddFromOutside(new HistoryEvent
        {
            ActivityTaskCompletedEventAttributes = new()
            {
                Result = result,
                ScheduledEventId = activity.ScheduledEventId,
                StartedEventId = started,
                Identity = identity,
            },
        });
        ScheduleWorkflowTask();
    }

    public void FailActivity(Activity activity, Failure failure, Payloads? lastHeartbeat, string identity)
    {
        if (lastHeartbeat is not null && !IsTooLarge(lastHeartbeat))
        {
            activity.HeartbeatDetails = lastHeartbeat;
        }

        if (IsTooLarge(failure))
        {
            // The next attempt may fail in another way, so this is no reason to stop retrying.
            failure = TooLargeFailure("Failure exceeds size limit.", nonRetryable: false);
        }

        var retryState = RetryActivity(activity, failure);
        if (retryState == RetryState.InProgress)
        {
            return;
        }

        var started = CloseActivity(activity);
        AddFromOutside(new HistoryEvent
        {
            ActivityTaskFailedEventAttributes = new()
            {
                Failure = failure,
                ScheduledEventId = activity.ScheduledEventId,
                StartedEventId = started,
                Identity = identity,
                RetryState = retryState,
            },
        });
        ScheduleWorkflowTask();
    }

    public void CancelActivity(Activity activity, Payloads? details, string identity)
    {
        if (IsTooLarge(details))
        {
            FailActivity(activity, TooLargeFailure("Cancel details exceed size limit."), null, identity);
            return;
        }

        var started = CloseActivity(activity);
        AddFromOutside(ActivityCanceled(activity, started, details, identity));
        ScheduleWorkflowTask();
    }

    private bool IsTooLarge(Google.Protobuf.IMessage? part) => part?.CalculateSize() > Limits.PayloadBytes;

    private static Failure TooLargeFailure(string message, bool nonRetryable = true) =>
        new() { Message = message, Source = "Server", ServerFailureInfo = new() { NonRetryable = nonRetryable } };

    private void TimeOutActivity(Activity activity, TimeoutType type)
    {
        var failure = new Failure
        {
            Message = $"activity {type} timeout",
            Source = "Server",
            TimeoutFailureInfo = new() { TimeoutType = type, LastHeartbeatDetails = activity.HeartbeatDetails },
        };
        var retryState = RetryState.Timeout;
        if (type is TimeoutType.StartToClose or TimeoutType.Heartbeat)
        {
            retryState = RetryActivity(activity, failure);
            if (retryState == RetryState.InProgress)
            {
                return;
            }

            if (retryState == RetryState.Timeout)
            {
                // No time is left for another attempt: the activity has reached its overall limit.
                failure = new Failure
                {
                    Message = "activity ScheduleToClose timeout",
                    Source = "Server",
                    Cause = failure,
                    TimeoutFailureInfo = new()
                    {
                        TimeoutType = TimeoutType.ScheduleToClose,
                        LastHeartbeatDetails = activity.HeartbeatDetails
                    },
                };
            }
        }
        else if (activity.LastFailure is not null)
        {
            failure.Cause = activity.LastFailure;
        }

        var started = activity.Started ? CloseActivity(activity) : CloseUnstartedActivity(activity);
        AddFromOutside(new HistoryEvent
        {
            ActivityTaskTimedOutEventAttributes = new()
            {
                Failure = failure,
                ScheduledEventId = activity.ScheduledEventId,
                StartedEventId = started,
                RetryState = retryState,
            },
        });
        ScheduleWorkflowTask();
    }

    private RetryState RetryActivity(Activity activity, Failure failure)
    {
        if (activity.CancelRequestedEventId != 0)
        {
            return RetryState.CancelRequested;
        }

        var deadline = activity.ScheduleToCloseTimeout.After(activity.ScheduledTime);
        (var backoff, var state) = RetryPolicies.Next(activity.RetryPolicy, activity.Attempt, failure, Now, deadline);
        if (backoff is not { } wait)
        {
            return state;
        }

        activity.Attempt++;
        activity.Started = false;
        activity.BackingOff = true;
        activity.LastFailure = failure;
        activity.AttemptCompleteTime = NowStamp;
        activity.AttemptScheduledTime = (Now + wait).ToTimestamp();
        Touch();
        return RetryState.InProgress;
    }

    /// <summary>Writes the started event that was held back, and forgets the activity. Returns that event's id, 0 while buffered.</summary>
    private long CloseActivity(Activity activity)
    {
        State.Activities.Remove(activity.ScheduledEventId);
        // Written only now, since attempts leave no events; but with the time at which the worker took it.
        var started = new HistoryEvent
        {
            EventTime = activity.StartedTime,
            ActivityTaskStartedEventAttributes = new()
            {
                ScheduledEventId = activity.ScheduledEventId,
                Identity = activity.Identity,
                RequestId = activity.RequestId,
                Attempt = activity.Attempt,
                LastFailure = activity.LastFailure,
            },
        };
        AddFromOutside(started);
        return started.EventId;
    }

    private long CloseUnstartedActivity(Activity activity)
    {
        State.Activities.Remove(activity.ScheduledEventId);
        return 0;
    }

    private void ScheduleActivity(ScheduleActivityTaskCommandAttributes command, Command source, long completedEventId)
    {
        var scheduleToClose = Times.Shorter(command.ScheduleToCloseTimeout, State.RunTimeout);
        var scheduleToStart = Times.Shorter(command.ScheduleToStartTimeout, scheduleToClose);
        var startToClose = Times.Shorter(command.StartToCloseTimeout, scheduleToClose);
        var heartbeat = Times.Shorter(command.HeartbeatTimeout, startToClose);
        var retry = RetryPolicies.WithDefaults(command.RetryPolicy);
        var queue = command.TaskQueue?.Name is { Length: > 0 } name ? name : State.TaskQueue;
        var e = Add(new HistoryEvent
        {
            UserMetadata = source.UserMetadata,
            ActivityTaskScheduledEventAttributes = new()
            {
                ActivityId = command.ActivityId,
                ActivityType = command.ActivityType,
                TaskQueue = new() { Name = queue, Kind = TaskQueueKind.Normal },
                Header = command.Header,
                Input = command.Input,
                ScheduleToCloseTimeout = scheduleToClose ?? new Duration(),
                ScheduleToStartTimeout = scheduleToStart ?? new Duration(),
                StartToCloseTimeout = startToClose ?? new Duration(),
                // Asked for or not, unlike the others: a limit that was not asked for would kill activities that never heartbeat.
                HeartbeatTimeout = command.HeartbeatTimeout.IsSet() ? heartbeat : new Duration(),
                WorkflowTaskCompletedEventId = completedEventId,
                RetryPolicy = retry,
                Priority = command.Priority,
            },
        });
        _tasks.Add(ActivityOffer(AddPendingActivity(e, NowStamp)));
    }

    private Activity AddPendingActivity(HistoryEvent scheduled, Timestamp scheduledTime)
    {
        var attributes = scheduled.ActivityTaskScheduledEventAttributes;
        return State.Activities[scheduled.EventId] = new Activity
        {
            ScheduledEventId = scheduled.EventId,
            ActivityId = attributes.ActivityId,
            ActivityType = attributes.ActivityType.Name,
            TaskQueue = attributes.TaskQueue.Name,
            Attempt = 1,
            ScheduledTime = scheduledTime,
            AttemptScheduledTime = scheduledTime,
            ScheduleToCloseTimeout = attributes.ScheduleToCloseTimeout,
            ScheduleToStartTimeout = attributes.ScheduleToStartTimeout,
            StartToCloseTimeout = attributes.StartToCloseTimeout,
            HeartbeatTimeout = attributes.HeartbeatTimeout,
            RetryPolicy = attributes.RetryPolicy.Clone(),
            Priority = attributes.Priority,
        };
    }

    private void RequestCancelActivity(RequestCancelActivityTaskCommandAttributes command, long completedEventId)
    {
        if (!State.Activities.TryGetValue(command.ScheduledEventId, out var activity))
        {
            // It ended while the worker was deciding to cancel it: its end is buffered and follows.
            Add(new HistoryEvent
            {
                ActivityTaskCancelRequestedEventAttributes = new()
                {
                    ScheduledEventId = command.ScheduledEventId,
                    WorkflowTaskCompletedEventId = completedEventId,
                },
            });
            return;
        }

        var e = Add(new HistoryEvent
        {
            ActivityTaskCancelRequestedEventAttributes = new()
            {
                ScheduledEventId = activity.ScheduledEventId,
                WorkflowTaskCompletedEventId = completedEventId,
            },
        });
        activity.CancelRequestedEventId = e.EventId;
        if (!activity.Started)
        {
            CloseUnstartedActivity(activity);
            Add(ActivityCanceled(activity, 0, null, ""));
            _newTaskNeeded = true;
        }
    }

    private static HistoryEvent ActivityCanceled(Activity activity, long startedEventId, Payloads? details, string identity) => new()
    {
        ActivityTaskCanceledEventAttributes = new()
        {
            Details = details,
            LatestCancelRequestedEventId = activity.CancelRequestedEventId,
            ScheduledEventId = activity.ScheduledEventId,
            StartedEventId = startedEventId,
            Identity = identity,
        },
    };

    private DispatchTask ActivityOffer(Activity activity) =>
        new(TaskKind.Activity, Address, activity.TaskQueue, activity.ScheduledEventId, activity.Attempt);

    /// <summary>
    /// When something is next due for the activity, and what: a time-out, or the next attempt (null).
    /// </summary>
    private static (DateTime At, TimeoutType? Timeout)? NextOf(Activity activity)
    {
        (DateTime At, TimeoutType? Timeout)? next = null;
        void Consider(DateTime? at, TimeoutType? type)
        {
            if (at is { } time && (next is null || time < next.Value.At))
            {
                next = (time, type);
            }
        }

        Consider(activity.ScheduleToCloseTimeout.After(activity.ScheduledTime), TimeoutType.ScheduleToClose);
        if (activity.Started)
        {
            Consider(activity.StartToCloseTimeout.After(activity.StartedTime), TimeoutType.StartToClose);
            Consider(activity.HeartbeatTimeout.After(activity.HeartbeatTime ?? activity.StartedTime), TimeoutType.Heartbeat);
        }
        else if (activity.BackingOff)
        {
            Consider(activity.AttemptScheduledTime.ToDateTime(), null);
        }
        else
        {
            Consider(activity.ScheduleToStartTimeout.After(activity.AttemptScheduledTime), TimeoutType.ScheduleToStart);
        }

        return next;
    }
}
