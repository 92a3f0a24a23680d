using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Temporalio.Converters;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <summary>Options of a replayer. At least one workflow is required.</summary>
public class WorkflowReplayerOptions : ICloneable
{
    private IList<WorkflowDefinition> workflows = [];

    /// <summary>The workflows.</summary>
    public IList<WorkflowDefinition> Workflows => workflows;

    /// <summary>Namespace that workflows see. Default <c>ReplayNamespace</c>.</summary>
    public string Namespace { get; set; } = "ReplayNamespace";

    /// <summary>Converts values, exceptions and payloads.</summary>
    public DataConverter DataConverter { get; set; } = DataConverter.Default;

    /// <summary>Logger factory. Default: no logs.</summary>
    public ILoggerFactory LoggerFactory { get; set; } = NullLoggerFactory.Instance;

    /// <summary>Exceptions that fail a workflow rather than its task, beside <see cref="Exceptions.FailureException"/>. Default: none.</summary>
    public IReadOnlyCollection<Type>? WorkflowFailureExceptionTypes { get; set; }

    /// <summary>Adds a workflow class.</summary>
    public WorkflowReplayerOptions AddWorkflow<T>() => AddWorkflow(typeof(T));

    /// <summary>Adds a workflow class.</summary>
    public WorkflowReplayerOptions AddWorkflow(Type type) => AddWorkflow(WorkflowDefinition.Create(type));

    /// <summary>Adds a workflow.</summary>
    public WorkflowReplayerOptions AddWorkflow(WorkflowDefinition definition)
    {
        workflows.Add(definition);
        return this;
    }

    /// <summary>A copy with a list of its own.</summary>
    public virtual object Clone()
    {
        var copy = (WorkflowReplayerOptions)MemberwiseClone();
        copy.workflows = workflows.ToList();
        return copy;
    }
}

/// <summary>How a replay went.</summary>
/// <param name="History">The history.</param>
/// <param name="ReplayFailure">Why it failed; null if it did not.</param>
public record WorkflowReplayResult(Common.WorkflowHistory History, Exception? ReplayFailure);
