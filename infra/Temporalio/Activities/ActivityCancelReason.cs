namespace Temporalio.Activities;

/// <summary>Why an activity was cancelled.</summary>
public enum ActivityCancelReason
{
    /// <summary>It was not cancelled.</summary>
    None,

    /// <summary>The server does not know the activity any more: it timed out or its workflow is closed.</summary>
    GoneFromServer,

    /// <summary>The workflow or a client asked for it.</summary>
    CancelRequested,

    /// <summary>The attempt took longer than its timeout.</summary>
    Timeout,

    /// <summary>The worker shuts down.</summary>
    WorkerShutdown,

    /// <summary>The details of a heartbeat could not be converted.</summary>
    HeartbeatRecordFailure,

    /// <summary>The activity was paused.</summary>
    Paused,

    /// <summary>The activity was reset.</summary>
    Reset,
}
