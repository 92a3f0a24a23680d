using Temporalio.Common;

namespace Temporalio.Workflows;

/// <summary>Options of a local activity call. One of <see cref="ScheduleToCloseTimeout"/> and <see cref="StartToCloseTimeout"/> is required.</summary>
public class LocalActivityOptions : ICloneable
{
    /// <summary>Longest time for all attempts together.</summary>
    public TimeSpan? ScheduleToCloseTimeout { get; set; }

    /// <summary>Longest time until an attempt starts.</summary>
    public TimeSpan? ScheduleToStartTimeout { get; set; }

    /// <summary>Longest time for one attempt.</summary>
    public TimeSpan? StartToCloseTimeout { get; set; }

    /// <summary>How it is retried. Default: for ever, with growing waits.</summary>
    public RetryPolicy? RetryPolicy { get; set; }

    /// <summary>Waits longer than this are timers of the workflow. Default 1 minute.</summary>
    public TimeSpan? LocalRetryThreshold { get; set; }

    /// <summary>What cancellation does. Default <see cref="ActivityCancellationType.TryCancel"/>.</summary>
    public ActivityCancellationType CancellationType { get; set; } = ActivityCancellationType.TryCancel;

    /// <summary>Cancels the activity. Default: the workflow's token.</summary>
    public CancellationToken? CancellationToken { get; set; }

    /// <summary>ID within the workflow. Default: a counter.</summary>
    public string? ActivityId { get; set; }

    /// <summary>One line about the activity, for the UI.</summary>
    public string? Summary { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}
