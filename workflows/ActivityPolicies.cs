using Temporalio.Workflows;

namespace Alt.Workflows;

/// <summary>How long each kind of stage may take, where it runs, and what is worth a retry.</summary>
internal static class ActivityPolicies
{
    /// <summary>A lost worker shows as a missing heartbeat, so this decides how soon its work moves on.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    /// <summary>Bookkeeping in the ledger: seconds.</summary>
    public static ActivityOptions Light => Options(TaskQueues.Main, TimeSpan.FromMinutes(10));

    /// <summary>One chunk on a model: minutes.</summary>
    public static ActivityOptions Chunk => Options(TaskQueues.Gpu, TimeSpan.FromHours(1));

    /// <summary>Training to its end, resumed from its last checkpoint at every attempt: hours.</summary>
    public static ActivityOptions Training => Options(TaskQueues.Gpu, TimeSpan.FromDays(2));

    /// <summary>One chunk's judgements; a remote judge may be slow for long.</summary>
    public static ActivityOptions Feedback => Options(TaskQueues.Feedback, TimeSpan.FromHours(6));

    private static ActivityOptions Options(string queue, TimeSpan timeout) => new()
    {
        TaskQueue = queue,
        StartToCloseTimeout = timeout,
        HeartbeatTimeout = Heartbeat,
        RetryPolicy = new()
        {
            InitialInterval = TimeSpan.FromSeconds(1),
            MaximumInterval = TimeSpan.FromSeconds(15),
            // Lost workers and databases come back. Failures marks permanent errors as not worth a retry; it cannot do so for work
            // that kills its worker.
            MaximumAttempts = 25,
        },
    };
}

/// <summary>Where work waits for a worker.</summary>
public static class TaskQueues
{
    /// <summary>Workflows and light activities.</summary>
    public const string Main = "alt";

    /// <summary>Everything that runs a model; one activity at a time per device.</summary>
    public const string Gpu = "alt-gpu";

    /// <summary>Judges.</summary>
    public const string Feedback = "alt-feedback";
}
