using System.Linq.Expressions;
using Temporalio.Common;

namespace Temporalio.Workflows;

/// <summary>A child workflow that has started.</summary>
public abstract class ChildWorkflowHandle
{
    /// <summary>Workflow ID.</summary>
    public abstract string Id { get; }

    /// <summary>Run ID of the first run.</summary>
    public abstract string FirstExecutionRunId { get; }

    /// <summary>Waits for the child's end, without its result.</summary>
    /// <exception cref="Exceptions.ChildWorkflowFailureException">It did not succeed.</exception>
    public Task GetResultAsync() => GetResultAsync<ValueTuple>();

    /// <summary>Waits for the child's result.</summary>
    /// <exception cref="Exceptions.ChildWorkflowFailureException">It did not succeed.</exception>
    public abstract Task<TResult> GetResultAsync<TResult>();

    /// <summary>Signals the child.</summary>
    public abstract Task SignalAsync(string signal, IReadOnlyCollection<object?> args, ChildWorkflowSignalOptions? options = null);
}

/// <summary>A child workflow of a known class that has started.</summary>
/// <typeparam name="TWorkflow">Workflow class.</typeparam>
public abstract class ChildWorkflowHandle<TWorkflow> : ChildWorkflowHandle
{
    /// <summary>Signals the child.</summary>
    public Task SignalAsync(Expression<Func<TWorkflow, Task>> signalCall, ChildWorkflowSignalOptions? options = null)
    {
        var (method, args) = CallExpression.Extract(signalCall);
        return SignalAsync(WorkflowSignalDefinition.NameFromMethod(method), args, options);
    }
}

/// <summary>A child workflow of a known class and result that has started.</summary>
/// <typeparam name="TWorkflow">Workflow class.</typeparam>
/// <typeparam name="TResult">Type of the result.</typeparam>
public abstract class ChildWorkflowHandle<TWorkflow, TResult> : ChildWorkflowHandle<TWorkflow>
{
    /// <summary>Waits for the child's result.</summary>
    /// <exception cref="Exceptions.ChildWorkflowFailureException">It did not succeed.</exception>
    public new Task<TResult> GetResultAsync() => GetResultAsync<TResult>();
}

/// <summary>Options of a signal to a child.</summary>
public class ChildWorkflowSignalOptions : ICloneable
{
    /// <summary>Cancels the signal while it is not delivered. Default: the workflow's token.</summary>
    public CancellationToken? CancellationToken { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}
