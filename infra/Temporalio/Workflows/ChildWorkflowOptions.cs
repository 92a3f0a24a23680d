using Temporalio.Api.Enums.V1;
using Temporalio.Common;

namespace Temporalio.Workflows;

/// <summary>Options of a child workflow.</summary>
public class ChildWorkflowOptions : ICloneable
{
    /// <summary>Workflow ID. Default: a new unique one.</summary>
    public string? Id { get; set; }

    /// <summary>Task queue. Default: the parent's.</summary>
    public string? TaskQueue { get; set; }

    /// <summary>Longest time for all runs, retries and continue-as-new included.</summary>
    public TimeSpan? ExecutionTimeout { get; set; }

    /// <summary>Longest time for one run.</summary>
    public TimeSpan? RunTimeout { get; set; }

    /// <summary>Longest time for one workflow task. Default 10 seconds.</summary>
    public TimeSpan? TaskTimeout { get; set; }

    /// <summary>How the child is retried when it fails. Default: not at all.</summary>
    public RetryPolicy? RetryPolicy { get; set; }

    /// <summary>What happens to the child when the parent closes. Default <see cref="ParentClosePolicy.Terminate"/>.</summary>
    public ParentClosePolicy ParentClosePolicy { get; set; } = ParentClosePolicy.Terminate;

    /// <summary>What cancellation does. Default <see cref="ChildWorkflowCancellationType.WaitCancellationCompleted"/>.</summary>
    public ChildWorkflowCancellationType CancellationType { get; set; } = ChildWorkflowCancellationType.WaitCancellationCompleted;

    /// <summary>Cancels the child. Default: the parent's token.</summary>
    public CancellationToken? CancellationToken { get; set; }

    /// <summary>Whether the ID of a closed workflow may be used again. Default: yes.</summary>
    public WorkflowIdReusePolicy IdReusePolicy { get; set; } = WorkflowIdReusePolicy.AllowDuplicate;

    /// <summary>Cron schedule.</summary>
    public string? CronSchedule { get; set; }

    /// <summary>Memo.</summary>
    public IReadOnlyDictionary<string, object>? Memo { get; set; }

    /// <summary>Search attributes.</summary>
    public SearchAttributeCollection? TypedSearchAttributes { get; set; }

    /// <summary>One line about the child, for the UI.</summary>
    public string? StaticSummary { get; set; }

    /// <summary>More about the child, for the UI.</summary>
    public string? StaticDetails { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}

/// <summary>What cancelling a child workflow does.</summary>
public enum ChildWorkflowCancellationType
{
    /// <summary>Ask for nothing and go on at once.</summary>
    Abandon = 0,

    /// <summary>Ask for cancellation and go on at once.</summary>
    TryCancel = 1,

    /// <summary>Ask for cancellation and wait until the child has ended.</summary>
    WaitCancellationCompleted = 2,

    /// <summary>Ask for cancellation and wait until the request has arrived.</summary>
    WaitCancellationRequested = 3,
}

/// <summary>What happens to a child workflow when its parent closes.</summary>
public enum ParentClosePolicy
{
    /// <summary>The server's default.</summary>
    None = 0,

    /// <summary>The child is terminated.</summary>
    Terminate = 1,

    /// <summary>The child goes on.</summary>
    Abandon = 2,

    /// <summary>The child is asked to cancel.</summary>
    RequestCancel = 3,
}
