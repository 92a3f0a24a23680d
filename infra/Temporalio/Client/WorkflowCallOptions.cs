using Temporalio.Api.Enums.V1;

namespace Temporalio.Client;

/// <summary>What all options of calls on a workflow share.</summary>
public abstract class WorkflowCallOptions : ICloneable
{
    private protected WorkflowCallOptions()
    {
    }

    /// <summary>Options of the call.</summary>
    public RpcOptions? Rpc { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}

/// <summary>Options of a signal.</summary>
public class WorkflowSignalOptions : WorkflowCallOptions
{
}

/// <summary>Options of a query.</summary>
public class WorkflowQueryOptions : WorkflowCallOptions
{
    /// <summary>Which workflows may not be queried. Default: the client's.</summary>
    public QueryRejectCondition? RejectCondition { get; set; }
}

/// <summary>Options of a description.</summary>
public class WorkflowDescribeOptions : WorkflowCallOptions
{
}

/// <summary>Options of a cancel request.</summary>
public class WorkflowCancelOptions : WorkflowCallOptions
{
}

/// <summary>Options of a termination.</summary>
public class WorkflowTerminateOptions : WorkflowCallOptions
{
    /// <summary>Values to keep with the termination.</summary>
    public IReadOnlyCollection<object?>? Details { get; set; }
}

/// <summary>Options of a list.</summary>
public class WorkflowListOptions : WorkflowCallOptions
{
    /// <summary>Most workflows to return; 0, the default, for all.</summary>
    public int Limit { get; set; }
}

/// <summary>Options of a count.</summary>
public class WorkflowCountOptions : WorkflowCallOptions
{
}

/// <summary>Options of reading a history.</summary>
public class WorkflowHistoryEventFetchOptions : WorkflowCallOptions
{
    /// <summary>All events or the last only. Default: all.</summary>
    public HistoryEventFilterType EventFilterType { get; set; } = HistoryEventFilterType.AllEvent;

    /// <summary>Whether to wait for further events until the workflow is closed. Default false.</summary>
    public bool WaitNewEvent { get; set; }

    /// <summary>Whether to leave the archive alone. Default false.</summary>
    public bool SkipArchival { get; set; }
}

/// <summary>Options of an update that is awaited.</summary>
public class WorkflowUpdateOptions : WorkflowCallOptions
{
    /// <summary>Default options.</summary>
    public WorkflowUpdateOptions()
    {
    }

    /// <summary>Options with an ID.</summary>
    public WorkflowUpdateOptions(string id) => Id = id;

    /// <summary>Update ID; a second update of the same ID is the same update. Default: a new unique one.</summary>
    public string? Id { get; set; }
}

/// <summary>Options of an update that is started.</summary>
public class WorkflowUpdateStartOptions : WorkflowUpdateOptions
{
    /// <summary>Options without the required stage.</summary>
    public WorkflowUpdateStartOptions()
    {
    }

    /// <summary>Options with a stage.</summary>
    public WorkflowUpdateStartOptions(WorkflowUpdateStage waitForStage) => WaitForStage = waitForStage;

    /// <summary>Options with an ID and a stage.</summary>
    public WorkflowUpdateStartOptions(string id, WorkflowUpdateStage waitForStage)
        : base(id) => WaitForStage = waitForStage;

    /// <summary>Stage that the start waits for; required.</summary>
    public WorkflowUpdateStage WaitForStage { get; set; }
}

/// <summary>How far an update has come.</summary>
public enum WorkflowUpdateStage
{
    /// <summary>Not set.</summary>
    None = UpdateWorkflowExecutionLifecycleStage.Unspecified,

    /// <summary>The server has it.</summary>
    Admitted = UpdateWorkflowExecutionLifecycleStage.Admitted,

    /// <summary>The workflow has accepted it.</summary>
    Accepted = UpdateWorkflowExecutionLifecycleStage.Accepted,

    /// <summary>Its handler has ended.</summary>
    Completed = UpdateWorkflowExecutionLifecycleStage.Completed,
}
