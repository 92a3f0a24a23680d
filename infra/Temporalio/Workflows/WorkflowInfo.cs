using Temporalio.Api.Common.V1;
using Temporalio.Common;
using Temporalio.Converters;
using RetryPolicy = Temporalio.Common.RetryPolicy;

namespace Temporalio.Workflows;

/// <summary>What is known about the running workflow from its start on.</summary>
/// <param name="Attempt">Number of the attempt, from 1.</param>
/// <param name="ContinuedRunId">Run that continued as this one.</param>
/// <param name="CronSchedule">Cron schedule.</param>
/// <param name="ExecutionTimeout">Longest time for all runs.</param>
/// <param name="FirstExecutionRunId">First run of the chain.</param>
/// <param name="Headers">Headers.</param>
/// <param name="LastFailure">Failure of the previous run.</param>
/// <param name="LastResult">Result of the previous run.</param>
/// <param name="Namespace">Namespace.</param>
/// <param name="Parent">Parent, if this is a child.</param>
/// <param name="RetryPolicy">How the workflow is retried.</param>
/// <param name="Root">Root of the tree of parents; null for the root itself.</param>
/// <param name="RunId">Run ID.</param>
/// <param name="RunTimeout">Longest time for one run.</param>
/// <param name="StartTime">When the first workflow task started.</param>
/// <param name="TaskQueue">Task queue.</param>
/// <param name="TaskTimeout">Longest time for one workflow task.</param>
/// <param name="WorkflowId">Workflow ID.</param>
/// <param name="WorkflowStartTime">When the run started, as the server says.</param>
/// <param name="WorkflowType">Type name.</param>
public record WorkflowInfo(
    int Attempt,
    string? ContinuedRunId,
    string? CronSchedule,
    TimeSpan? ExecutionTimeout,
    string FirstExecutionRunId,
    IReadOnlyDictionary<string, Payload>? Headers,
    Exception? LastFailure,
    IReadOnlyCollection<IRawValue>? LastResult,
    string Namespace,
    WorkflowInfo.ParentInfo? Parent,
    RetryPolicy? RetryPolicy,
    WorkflowInfo.RootInfo? Root,
    string RunId,
    TimeSpan? RunTimeout,
    DateTime StartTime,
    string TaskQueue,
    TimeSpan TaskTimeout,
    string WorkflowId,
    DateTime WorkflowStartTime,
    string WorkflowType)
{
    /// <summary>Scope of the workflow's log lines.</summary>
    internal Dictionary<string, object> LoggerScope { get; } = new()
    {
        ["Attempt"] = Attempt,
        ["Namespace"] = Namespace,
        ["RunId"] = RunId,
        ["TaskQueue"] = TaskQueue,
        ["WorkflowId"] = WorkflowId,
        ["WorkflowType"] = WorkflowType,
    };

    /// <summary>A workflow's parent.</summary>
    /// <param name="Namespace">Namespace.</param>
    /// <param name="RunId">Run ID.</param>
    /// <param name="WorkflowId">Workflow ID.</param>
    public record ParentInfo(string Namespace, string RunId, string WorkflowId);

    /// <summary>The root of a tree of workflows.</summary>
    /// <param name="RunId">Run ID.</param>
    /// <param name="WorkflowId">Workflow ID.</param>
    public record RootInfo(string RunId, string WorkflowId);
}

/// <summary>The update whose handler runs.</summary>
/// <param name="Id">Update ID.</param>
/// <param name="Name">Name of the update.</param>
public record WorkflowUpdateInfo(string Id, string Name);
