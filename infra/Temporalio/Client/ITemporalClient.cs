using System.Linq.Expressions;

namespace Temporalio.Client;

/// <summary>A client of one namespace.</summary>
public interface ITemporalClient : Worker.IWorkerClient
{
    /// <summary>Raw gRPC calls: workflows, task queues, namespaces.</summary>
    WorkflowService WorkflowService { get; }

    /// <summary>Raw gRPC calls: cluster and search attributes.</summary>
    OperatorService OperatorService { get; }

    /// <summary>Starts a workflow.</summary>
    /// <param name="workflowRunCall">The call, such as <c>(MyWorkflow wf) => wf.RunAsync(input)</c>.</param>
    /// <param name="options">Options; ID and task queue are required.</param>
    /// <exception cref="ArgumentException">A required option is missing, or the lambda is not a single call of a run method.</exception>
    /// <exception cref="Exceptions.WorkflowAlreadyStartedException">A workflow of that ID runs, or has run and may not run again.</exception>
    /// <exception cref="Exceptions.RpcException">The server refused or could not be reached.</exception>
    Task<WorkflowHandle<TWorkflow, TResult>> StartWorkflowAsync<TWorkflow, TResult>(
        Expression<Func<TWorkflow, Task<TResult>>> workflowRunCall, WorkflowOptions options);

    /// <inheritdoc cref="StartWorkflowAsync{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, WorkflowOptions)"/>
    Task<WorkflowHandle<TWorkflow>> StartWorkflowAsync<TWorkflow>(Expression<Func<TWorkflow, Task>> workflowRunCall, WorkflowOptions options);

    /// <summary>Starts a workflow by its name.</summary>
    /// <inheritdoc cref="StartWorkflowAsync{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, WorkflowOptions)"/>
    Task<WorkflowHandle> StartWorkflowAsync(string workflow, IReadOnlyCollection<object?> args, WorkflowOptions options);

    /// <summary>A handle of a workflow that exists; nothing is asked of the server.</summary>
    /// <param name="id">Workflow ID.</param>
    /// <param name="runId">Run ID; null for the current run.</param>
    /// <param name="firstExecutionRunId">First run of the chain that cancel and terminate may touch; null for any.</param>
    WorkflowHandle GetWorkflowHandle(string id, string? runId = null, string? firstExecutionRunId = null);

    /// <inheritdoc cref="GetWorkflowHandle(string, string?, string?)"/>
    WorkflowHandle<TWorkflow> GetWorkflowHandle<TWorkflow>(string id, string? runId = null, string? firstExecutionRunId = null);

    /// <inheritdoc cref="GetWorkflowHandle(string, string?, string?)"/>
    WorkflowHandle<TWorkflow, TResult> GetWorkflowHandle<TWorkflow, TResult>(string id, string? runId = null, string? firstExecutionRunId = null);

    /// <summary>Lists workflows, newest first.</summary>
    /// <param name="query">List filter, such as <c>WorkflowType = 'MyWorkflow' AND ExecutionStatus = 'Running'</c>; empty for all.</param>
    /// <param name="options">Options.</param>
    IAsyncEnumerable<WorkflowExecution> ListWorkflowsAsync(string query, WorkflowListOptions? options = null);

    /// <summary>Counts workflows.</summary>
    /// <param name="query">List filter; may end in <c>GROUP BY</c>.</param>
    /// <param name="options">Options.</param>
    Task<WorkflowExecutionCount> CountWorkflowsAsync(string query, WorkflowCountOptions? options = null);

    /// <summary>A handle to complete an activity that threw <see cref="Activities.CompleteAsyncException"/>, by its token.</summary>
    AsyncActivityHandle GetAsyncActivityHandle(byte[] taskToken);

    /// <summary>A handle to complete an activity that threw <see cref="Activities.CompleteAsyncException"/>, by its ID.</summary>
    AsyncActivityHandle GetAsyncActivityHandle(string workflowId, string runId, string activityId);
}
