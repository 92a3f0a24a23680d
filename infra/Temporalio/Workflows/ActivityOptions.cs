using Temporalio.Common;

namespace Temporalio.Workflows;

/// <summary>Options of an activity call. One of <see cref="ScheduleToCloseTimeout"/> and <see cref="StartToCloseTimeout"/> is required.</summary>
public class ActivityOptions : ICloneable
{
    /// <summary>Longest time for all attempts together, the time in the queue included.</summary>
    public TimeSpan? ScheduleToCloseTimeout { get; set; }

    /// <summary>Longest time until a worker picks an attempt up; not retried.</summary>
    public TimeSpan? ScheduleToStartTimeout { get; set; }

    /// <summary>Longest time for one attempt.</summary>
    public TimeSpan? StartToCloseTimeout { get; set; }

    /// <summary>Longest time between heartbeats. Needed for the activity to learn of its cancellation.</summary>
    public TimeSpan? HeartbeatTimeout { get; set; }

    /// <summary>How it is retried. Default: for ever, with growing waits.</summary>
    public RetryPolicy? RetryPolicy { get; set; }

    /// <summary>What cancellation does. Default <see cref="ActivityCancellationType.TryCancel"/>.</summary>
    public ActivityCancellationType CancellationType { get; set; } = ActivityCancellationType.TryCancel;

    /// <summary>Cancels the activity. Default: the workflow's token.</summary>
    public CancellationToken? CancellationToken { get; set; }

    /// <summary>Task queue. Default: the workflow's.</summary>
    public string? TaskQueue { get; set; }

    /// <summary>ID within the workflow. Default: a counter.</summary>
    public string? ActivityId { get; set; }

    /// <summary>Whether the activity must not be handed to this worker in the reply to the workflow task. Default false.</summary>
    public bool DisableEagerActivityExecution { get; set; }

    /// <summary>One line about the activity, for the UI.</summary>
    public string? Summary { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}

/// <summary>What cancelling an activity does.</summary>
public enum ActivityCancellationType
{
    /// <summary>Ask for cancellation and go on at once.</summary>
    TryCancel = 0,

    /// <summary>Ask for cancellation and wait until the activity has ended.</summary>
    WaitCancellationCompleted = 1,

    /// <summary>Ask for nothing and go on at once.</summary>
    Abandon = 2,
}
