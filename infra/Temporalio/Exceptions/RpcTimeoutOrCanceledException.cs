namespace Temporalio.Exceptions;

/// <summary>A call to the server ran out of time or was cancelled.</summary>
public class RpcTimeoutOrCanceledException : TemporalException
{
    /// <summary>Creates the exception.</summary>
    public RpcTimeoutOrCanceledException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}

/// <summary>A call about a workflow update ran out of time or was cancelled; the update itself goes on.</summary>
public class WorkflowUpdateRpcTimeoutOrCanceledException : RpcTimeoutOrCanceledException
{
    /// <summary>Creates the exception.</summary>
    public WorkflowUpdateRpcTimeoutOrCanceledException(Exception? inner)
        : base("Timeout or cancellation waiting for update", inner)
    {
    }
}
