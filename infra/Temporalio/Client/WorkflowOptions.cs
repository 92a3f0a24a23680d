using System.Linq.Expressions;
using Temporalio.Api.Enums.V1;
using Temporalio.Common;
using Temporalio.Workflows;

namespace Temporalio.Client;

/// <summary>Options of a new workflow. <see cref="Id"/> and <see cref="TaskQueue"/> are required.</summary>
public class WorkflowOptions : ICloneable
{
    /// <summary>Options without the required ones.</summary>
    public WorkflowOptions()
    {
    }

    /// <summary>Options with the required ones.</summary>
    public WorkflowOptions(string id, string taskQueue) => (Id, TaskQueue) = (id, taskQueue);

    /// <summary>Workflow ID.</summary>
    public string? Id { get; set; }

    /// <summary>Task queue.</summary>
    public string? TaskQueue { get; set; }

    /// <summary>Longest time for all runs, retries and continue-as-new included. Default: no limit.</summary>
    public TimeSpan? ExecutionTimeout { get; set; }

    /// <summary>Longest time for one run. Default: no limit.</summary>
    public TimeSpan? RunTimeout { get; set; }

    /// <summary>Longest time for one workflow task. Default 10 seconds.</summary>
    public TimeSpan? TaskTimeout { get; set; }

    /// <summary>Whether the ID of a closed workflow may be used again. Default: yes.</summary>
    public WorkflowIdReusePolicy IdReusePolicy { get; set; } = WorkflowIdReusePolicy.AllowDuplicate;

    /// <summary>What to do where a workflow of that ID runs. Default: fail.</summary>
    public WorkflowIdConflictPolicy IdConflictPolicy { get; set; } = WorkflowIdConflictPolicy.Unspecified;

    /// <summary>How the workflow is retried when it fails. Default: not at all.</summary>
    public RetryPolicy? RetryPolicy { get; set; }

    /// <summary>Cron schedule.</summary>
    public string? CronSchedule { get; set; }

    /// <summary>Memo.</summary>
    public IReadOnlyDictionary<string, object>? Memo { get; set; }

    /// <summary>Search attributes.</summary>
    public SearchAttributeCollection? TypedSearchAttributes { get; set; }

    /// <summary>Wait before the first workflow task.</summary>
    public TimeSpan? StartDelay { get; set; }

    /// <summary>One line about the workflow, for the UI.</summary>
    public string? StaticSummary { get; set; }

    /// <summary>More about the workflow, for the UI.</summary>
    public string? StaticDetails { get; set; }

    /// <summary>Signal to send to the workflow, which is started where it does not run.</summary>
    public string? StartSignal { get; set; }

    /// <summary>Arguments of the signal.</summary>
    public IReadOnlyCollection<object?>? StartSignalArgs { get; set; }

    /// <summary>Options of the call.</summary>
    public RpcOptions? Rpc { get; set; }

    /// <summary>Sets the signal to send to the workflow, which is started where it does not run.</summary>
    public void SignalWithStart<TWorkflow>(Expression<Func<TWorkflow, Task>> signalCall)
    {
        var (method, args) = CallExpression.Extract(signalCall);
        SignalWithStart(WorkflowSignalDefinition.NameFromMethod(method), args);
    }

    /// <inheritdoc cref="SignalWithStart{TWorkflow}(Expression{Func{TWorkflow, Task}})"/>
    public void SignalWithStart(string signal, IReadOnlyCollection<object?> args) => (StartSignal, StartSignalArgs) = (signal, args);

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}
