using System.Linq.Expressions;
using Temporalio.Common;

namespace Temporalio.Workflows;

/// <summary>Another workflow, as seen from a workflow.</summary>
public abstract class ExternalWorkflowHandle
{
    /// <summary>Workflow ID.</summary>
    public abstract string Id { get; }

    /// <summary>Run ID, where one run is meant.</summary>
    public abstract string? RunId { get; }

    /// <summary>Signals the workflow; ends when the server has delivered it.</summary>
    public abstract Task SignalAsync(string signal, IReadOnlyCollection<object?> args, ExternalWorkflowSignalOptions? options = null);

    /// <summary>Asks the workflow to cancel; ends when the server has delivered it.</summary>
    public abstract Task CancelAsync();
}

/// <summary>Another workflow of a known class, as seen from a workflow.</summary>
/// <typeparam name="TWorkflow">Workflow class.</typeparam>
public abstract class ExternalWorkflowHandle<TWorkflow> : ExternalWorkflowHandle
{
    /// <summary>Signals the workflow; ends when the server has delivered it.</summary>
    public Task SignalAsync(Expression<Func<TWorkflow, Task>> signalCall, ExternalWorkflowSignalOptions? options = null)
    {
        var (method, args) = CallExpression.Extract(signalCall);
        return SignalAsync(WorkflowSignalDefinition.NameFromMethod(method), args, options);
    }
}

/// <summary>Options of a signal to another workflow.</summary>
public class ExternalWorkflowSignalOptions : ICloneable
{
    /// <summary>Cancels the signal while it is not delivered. Default: the workflow's token.</summary>
    public CancellationToken? CancellationToken { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}
