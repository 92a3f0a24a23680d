using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;

namespace Temporalio.Exceptions;

/// <summary>A child workflow did not succeed; the inner exception says why.</summary>
public class ChildWorkflowFailureException : FailureException
{
    /// <summary>Creates the exception from the wire.</summary>
    protected internal ChildWorkflowFailureException(Failure failure, Exception? inner)
        : base(failure, inner)
    {
    }

    /// <summary>Namespace of the child.</summary>
    public string Namespace => Failure!.ChildWorkflowExecutionFailureInfo.Namespace;

    /// <summary>ID of the child.</summary>
    public string WorkflowId => Failure!.ChildWorkflowExecutionFailureInfo.WorkflowExecution.WorkflowId;

    /// <summary>Run ID of the child.</summary>
    public string RunId => Failure!.ChildWorkflowExecutionFailureInfo.WorkflowExecution.RunId;

    /// <summary>Type name of the child.</summary>
    public string WorkflowType => Failure!.ChildWorkflowExecutionFailureInfo.WorkflowType.Name;

    /// <summary>Why there is no further retry.</summary>
    public RetryState RetryState => Failure!.ChildWorkflowExecutionFailureInfo.RetryState;
}
