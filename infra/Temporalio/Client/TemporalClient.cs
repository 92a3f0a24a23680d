using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Common;
using Temporalio.Workflows;

namespace Temporalio.Client;

/// <inheritdoc cref="ITemporalClient"/>
public partial class TemporalClient : ITemporalClient
{
    /// <summary>A client on a connection.</summary>
    public TemporalClient(ITemporalConnection connection, TemporalClientOptions options) => (Connection, Options) = (connection, options);

    /// <inheritdoc/>
    public ITemporalConnection Connection { get; }

    /// <inheritdoc/>
    public TemporalClientOptions Options { get; }

    /// <inheritdoc/>
    public WorkflowService WorkflowService => Connection.WorkflowService;

    /// <inheritdoc/>
    public OperatorService OperatorService => Connection.OperatorService;

    /// <summary>Connects to a server.</summary>
    /// <exception cref="Exceptions.RpcException">It cannot be reached.</exception>
    public static async Task<TemporalClient> ConnectAsync(TemporalClientConnectOptions options) =>
        new(await TemporalConnection.ConnectAsync(WithLogger(options)), options.ToClientOptions());

    /// <summary>A client whose connection is made with the first call.</summary>
    public static TemporalClient CreateLazy(TemporalClientConnectOptions options) =>
        new(TemporalConnection.CreateLazy(WithLogger(options)), options.ToClientOptions());

    /// <inheritdoc/>
    public WorkflowHandle GetWorkflowHandle(string id, string? runId = null, string? firstExecutionRunId = null) =>
        new(this, id, runId, runId, firstExecutionRunId);

    /// <inheritdoc/>
    public WorkflowHandle<TWorkflow> GetWorkflowHandle<TWorkflow>(string id, string? runId = null, string? firstExecutionRunId = null) =>
        new(this, id, runId, runId, firstExecutionRunId);

    /// <inheritdoc/>
    public WorkflowHandle<TWorkflow, TResult> GetWorkflowHandle<TWorkflow, TResult>(
        string id, string? runId = null, string? firstExecutionRunId = null) => new(this, id, runId, runId, firstExecutionRunId);

    /// <inheritdoc/>
    public async IAsyncEnumerable<WorkflowExecution> ListWorkflowsAsync(string query, WorkflowListOptions? options = null)
    {
        var request = new ListWorkflowExecutionsRequest { Namespace = Options.Namespace, Query = query };
        var yielded = 0;
        do
        {
            var page = await WorkflowService.ListWorkflowExecutionsAsync(request, Retrying(options?.Rpc));
            foreach (var info in page.Executions)
            {
                if (options is { Limit: > 0 } && yielded++ >= options.Limit)
                {
                    yield break;
                }
                yield return new WorkflowExecution(info, Options.DataConverter);
            }
            request.NextPageToken = page.NextPageToken;
        }
        while (!request.NextPageToken.IsEmpty);
    }

    /// <inheritdoc/>
    public async Task<WorkflowExecutionCount> CountWorkflowsAsync(string query, WorkflowCountOptions? options = null)
    {
        var response = await WorkflowService.CountWorkflowExecutionsAsync(
            new() { Namespace = Options.Namespace, Query = query }, Retrying(options?.Rpc));
        return new(
            response.Count,
            response.Groups.Select(group => new WorkflowExecutionCount.AggregationGroup(
                group.Count, group.GroupValues.Select(value => JsonSerializer.Deserialize<object>(value.Data.Span)!).ToArray())).ToArray());
    }

    /// <inheritdoc/>
    public AsyncActivityHandle GetAsyncActivityHandle(byte[] taskToken) => new(this, taskToken, null);

    /// <inheritdoc/>
    public AsyncActivityHandle GetAsyncActivityHandle(string workflowId, string runId, string activityId) =>
        new(this, null, new(workflowId, runId, activityId));

    /// <summary>The options of a call, which is retried unless they say otherwise.</summary>
    internal static RpcOptions Retrying(RpcOptions? options)
    {
        var copy = (RpcOptions?)options?.Clone() ?? new();
        copy.Retry ??= true;
        return copy;
    }

    private static TemporalClientConnectOptions WithLogger(TemporalClientConnectOptions options)
    {
        var copy = (TemporalClientConnectOptions)options.Clone();
        copy.ConnectionLoggerFactory = options.LoggerFactory;
        return copy;
    }

    private static (string Name, object?[] Args) RunCall(LambdaExpression workflowRunCall)
    {
        var (method, args) = CallExpression.Extract(workflowRunCall);
        if (method.GetCustomAttribute<WorkflowRunAttribute>() is null)
        {
            throw new ArgumentException($"{method.DeclaringType}.{method.Name} is missing the WorkflowRun attribute");
        }
        // The lambda's parameter is the class that was asked for; the method may be declared on its base.
        return (WorkflowDefinition.NameOf(workflowRunCall.Parameters[0].Type), args);
    }
}
