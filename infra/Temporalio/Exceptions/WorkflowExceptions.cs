using Temporalio.Api.Enums.V1;

namespace Temporalio.Exceptions;

/// <summary>A workflow whose result was asked for did not succeed; the inner exception says why.</summary>
public class WorkflowFailedException : TemporalException
{
    /// <summary>Creates the exception.</summary>
    public WorkflowFailedException(Exception? inner)
        : base("Workflow failed", inner)
    {
    }
}

/// <summary>A workflow whose result was asked for, without following runs, continued as new.</summary>
public class WorkflowContinuedAsNewException : TemporalException
{
    /// <summary>Creates the exception.</summary>
    public WorkflowContinuedAsNewException(string newRunId)
        : base("Workflow continued as new") => NewRunId = newRunId;

    /// <summary>Run ID of the next run.</summary>
    public string NewRunId { get; }
}

/// <summary>A workflow of that ID runs already, or has run and may not run again.</summary>
public class WorkflowAlreadyStartedException : FailureException
{
    /// <summary>Creates the exception.</summary>
    public WorkflowAlreadyStartedException(string message, string workflowId, string workflowType, string runId)
        : base(message) => (WorkflowId, WorkflowType, RunId) = (workflowId, workflowType, runId);

    /// <summary>The workflow ID.</summary>
    public string WorkflowId { get; }

    /// <summary>The workflow type that was to be started.</summary>
    public string WorkflowType { get; }

    /// <summary>The run that exists; empty for a child workflow.</summary>
    public string RunId { get; }
}

/// <summary>A query's handler failed.</summary>
public class WorkflowQueryFailedException : TemporalException
{
    /// <summary>Creates the exception.</summary>
    public WorkflowQueryFailedException(string message)
        : base(message)
    {
    }
}

/// <summary>The server did not pass the query on, since the workflow's status met the reject condition.</summary>
public class WorkflowQueryRejectedException : TemporalException
{
    /// <summary>Creates the exception.</summary>
    public WorkflowQueryRejectedException(WorkflowExecutionStatus workflowStatus)
        : base($"Query rejected, workflow status: {workflowStatus}") => WorkflowStatus = workflowStatus;

    /// <summary>Status of the workflow.</summary>
    public WorkflowExecutionStatus WorkflowStatus { get; }
}

/// <summary>An update was rejected or its handler failed; the inner exception says why.</summary>
public class WorkflowUpdateFailedException : TemporalException
{
    /// <summary>Creates the exception.</summary>
    public WorkflowUpdateFailedException(Exception? inner)
        : base("Workflow update failed", inner)
    {
    }
}

/// <summary>Workflow code did something else than its history says. Fails the workflow task, never the workflow.</summary>
public class WorkflowNondeterminismException : InvalidWorkflowOperationException
{
    /// <summary>Creates the exception.</summary>
    public WorkflowNondeterminismException(string message, string stackTrace)
        : base(message, stackTrace, null)
    {
    }
}

/// <summary>Workflow code did something that it must not do.</summary>
public class InvalidWorkflowOperationException : TemporalException
{
    private readonly string? stackTraceOverride;

    internal InvalidWorkflowOperationException(string message, string? stackTraceOverride, Exception? inner)
        : base(message, inner) => this.stackTraceOverride = stackTraceOverride;

    /// <inheritdoc/>
    public override string? StackTrace => stackTraceOverride ?? base.StackTrace;
}

/// <summary>An activity that completes asynchronously was cancelled.</summary>
public class AsyncActivityCanceledException : TemporalException
{
    /// <summary>Creates the exception.</summary>
    public AsyncActivityCanceledException()
        : base("Activity cancelled")
    {
    }
}
