using System.Linq.Expressions;
using Google.Protobuf;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Temporalio.Client;

/// <content>Signals, queries and updates.</content>
public partial record WorkflowHandle
{
    /// <summary>Signals the workflow; ends when the server has recorded it.</summary>
    /// <param name="signalCall">The call, such as <c>wf => wf.PauseAsync()</c>.</param>
    /// <param name="options">Options.</param>
    /// <exception cref="RpcException">The server refused, for instance because the workflow is closed.</exception>
    public Task SignalAsync<TWorkflow>(Expression<Func<TWorkflow, Task>> signalCall, WorkflowSignalOptions? options = null)
    {
        var (method, args) = CallExpression.Extract(signalCall);
        return SignalAsync(WorkflowSignalDefinition.NameFromMethod(method), args, options);
    }

    /// <inheritdoc cref="SignalAsync{TWorkflow}(Expression{Func{TWorkflow, Task}}, WorkflowSignalOptions?)"/>
    public async Task SignalAsync(string signal, IReadOnlyCollection<object?> args, WorkflowSignalOptions? options = null) =>
        await Client.WorkflowService.SignalWorkflowExecutionAsync(
            new()
            {
                Namespace = Client.Options.Namespace,
                WorkflowExecution = Execution,
                SignalName = signal,
                Input = await Client.Options.DataConverter.ToPayloadsAsync(args),
                Identity = Client.Connection.Options.Identity,
                RequestId = Guid.NewGuid().ToString(),
            },
            TemporalClient.Retrying(options?.Rpc));

    /// <summary>Queries the workflow, running or closed.</summary>
    /// <param name="queryCall">The call or property, such as <c>wf => wf.Progress</c>.</param>
    /// <param name="options">Options.</param>
    /// <exception cref="WorkflowQueryFailedException">The handler failed.</exception>
    /// <exception cref="WorkflowQueryRejectedException">The workflow's status met the reject condition.</exception>
    /// <exception cref="RpcException">The server refused, or no worker answered in time.</exception>
    public Task<TQueryResult> QueryAsync<TWorkflow, TQueryResult>(
        Expression<Func<TWorkflow, TQueryResult>> queryCall, WorkflowQueryOptions? options = null)
    {
        if (CallExpression.ExtractProperty(queryCall) is { } property)
        {
            return QueryAsync<TQueryResult>(WorkflowQueryDefinition.NameFrom(property), [], options);
        }
        var (method, args) = CallExpression.Extract(queryCall);
        return QueryAsync<TQueryResult>(WorkflowQueryDefinition.NameFrom(method), args, options);
    }

    /// <inheritdoc cref="QueryAsync{TWorkflow, TQueryResult}(Expression{Func{TWorkflow, TQueryResult}}, WorkflowQueryOptions?)"/>
    public async Task<TQueryResult> QueryAsync<TQueryResult>(string query, IReadOnlyCollection<object?> args, WorkflowQueryOptions? options = null)
    {
        QueryWorkflowResponse response;
        try
        {
            response = await Client.WorkflowService.QueryWorkflowAsync(
                new()
                {
                    Namespace = Client.Options.Namespace,
                    Execution = Execution,
                    Query = new() { QueryType = query, QueryArgs = await Client.Options.DataConverter.ToPayloadsAsync(args) },
                    QueryRejectCondition = options?.RejectCondition ?? Client.Options.QueryRejectCondition ?? QueryRejectCondition.None,
                },
                TemporalClient.Retrying(options?.Rpc));
        }
        catch (RpcException e) when (e.Code == RpcException.StatusCode.InvalidArgument && e.RawStatus is not null)
        {
            throw new WorkflowQueryFailedException(e.Message);
        }
        return response.QueryRejected is { } rejected
            ? throw new WorkflowQueryRejectedException(rejected.Status)
            : await Client.Options.DataConverter.ToSingleValueAsync<TQueryResult>(response.QueryResult);
    }

    /// <summary>Sends an update and waits for its result.</summary>
    /// <param name="updateCall">The call, such as <c>wf => wf.ApproveAsync(3)</c>.</param>
    /// <param name="options">Options.</param>
    /// <exception cref="WorkflowUpdateFailedException">The update was rejected or failed; the inner exception says why.</exception>
    /// <exception cref="RpcException">The server refused.</exception>
    public async Task<TUpdateResult> ExecuteUpdateAsync<TWorkflow, TUpdateResult>(
        Expression<Func<TWorkflow, Task<TUpdateResult>>> updateCall, WorkflowUpdateOptions? options = null)
    {
        var (method, args) = CallExpression.Extract(updateCall);
        return await ExecuteUpdateAsync<TUpdateResult>(WorkflowUpdateDefinition.NameFromMethod(method), args, options);
    }

    /// <inheritdoc cref="ExecuteUpdateAsync{TWorkflow, TUpdateResult}(Expression{Func{TWorkflow, Task{TUpdateResult}}}, WorkflowUpdateOptions?)"/>
    public async Task ExecuteUpdateAsync<TWorkflow>(Expression<Func<TWorkflow, Task>> updateCall, WorkflowUpdateOptions? options = null)
    {
        var (method, args) = CallExpression.Extract(updateCall);
        await ExecuteUpdateAsync(WorkflowUpdateDefinition.NameFromMethod(method), args, options);
    }

    /// <inheritdoc cref="ExecuteUpdateAsync{TWorkflow, TUpdateResult}(Expression{Func{TWorkflow, Task{TUpdateResult}}}, WorkflowUpdateOptions?)"/>
    public Task ExecuteUpdateAsync(string update, IReadOnlyCollection<object?> args, WorkflowUpdateOptions? options = null) =>
        ExecuteUpdateAsync<ValueTuple>(update, args, options);

    /// <inheritdoc cref="ExecuteUpdateAsync{TWorkflow, TUpdateResult}(Expression{Func{TWorkflow, Task{TUpdateResult}}}, WorkflowUpdateOptions?)"/>
    public async Task<TUpdateResult> ExecuteUpdateAsync<TUpdateResult>(string update, IReadOnlyCollection<object?> args, WorkflowUpdateOptions? options = null)
    {
        var handle = await StartUpdateAsync<TUpdateResult>(
            update, args, new() { Id = options?.Id, Rpc = options?.Rpc, WaitForStage = WorkflowUpdateStage.Completed });
        return await handle.GetResultAsync(options?.Rpc);
    }

    /// <summary>Sends an update and waits until it has come to a stage.</summary>
    /// <param name="updateCall">The call, such as <c>wf => wf.ApproveAsync(3)</c>.</param>
    /// <param name="options">Options; the stage is required, and is Accepted or Completed.</param>
    /// <exception cref="ArgumentException">The stage is missing or Admitted.</exception>
    /// <exception cref="RpcException">The server refused.</exception>
    public Task<WorkflowUpdateHandle<TUpdateResult>> StartUpdateAsync<TWorkflow, TUpdateResult>(
        Expression<Func<TWorkflow, Task<TUpdateResult>>> updateCall, WorkflowUpdateStartOptions options)
    {
        var (method, args) = CallExpression.Extract(updateCall);
        return StartUpdateAsync<TUpdateResult>(WorkflowUpdateDefinition.NameFromMethod(method), args, options);
    }

    /// <inheritdoc cref="StartUpdateAsync{TWorkflow, TUpdateResult}(Expression{Func{TWorkflow, Task{TUpdateResult}}}, WorkflowUpdateStartOptions)"/>
    public Task<WorkflowUpdateHandle> StartUpdateAsync<TWorkflow>(Expression<Func<TWorkflow, Task>> updateCall, WorkflowUpdateStartOptions options)
    {
        var (method, args) = CallExpression.Extract(updateCall);
        return StartUpdateAsync(WorkflowUpdateDefinition.NameFromMethod(method), args, options);
    }

    /// <inheritdoc cref="StartUpdateAsync{TWorkflow, TUpdateResult}(Expression{Func{TWorkflow, Task{TUpdateResult}}}, WorkflowUpdateStartOptions)"/>
    public async Task<WorkflowUpdateHandle> StartUpdateAsync(string update, IReadOnlyCollection<object?> args, WorkflowUpdateStartOptions options) =>
        await StartUpdateAsync<ValueTuple>(update, args, options);

    /// <inheritdoc cref="StartUpdateAsync{TWorkflow, TUpdateResult}(Expression{Func{TWorkflow, Task{TUpdateResult}}}, WorkflowUpdateStartOptions)"/>
    public async Task<WorkflowUpdateHandle<TUpdateResult>> StartUpdateAsync<TUpdateResult>(
        string update, IReadOnlyCollection<object?> args, WorkflowUpdateStartOptions options)
    {
        if (options.WaitForStage is not (WorkflowUpdateStage.Accepted or WorkflowUpdateStage.Completed))
        {
            throw new ArgumentException("WaitForStage must be Accepted or Completed");
        }
        var request = new UpdateWorkflowExecutionRequest
        {
            Namespace = Client.Options.Namespace,
            WorkflowExecution = Execution,
            FirstExecutionRunId = FirstExecutionRunId ?? "",
            WaitPolicy = new() { LifecycleStage = (UpdateWorkflowExecutionLifecycleStage)(int)options.WaitForStage },
            Request = new()
            {
                Meta = new() { UpdateId = options.Id ?? Guid.NewGuid().ToString(), Identity = Client.Connection.Options.Identity },
                Input = new() { Name = update, Args = await Client.Options.DataConverter.ToPayloadsAsync(args) },
            },
        };
        UpdateWorkflowExecutionResponse response;
        do
        {
            // The server answers before its own deadline with how far the update has come; the same ID makes it the same update.
            response = await Client.WorkflowService.UpdateWorkflowExecutionAsync(request, TemporalClient.Retrying(options.Rpc));
        }
        while (response.Outcome is null && response.Stage < UpdateWorkflowExecutionLifecycleStage.Accepted);
        return new(Client, request.Request.Meta.UpdateId, Id, response.UpdateRef?.WorkflowExecution?.RunId.NullIfEmpty() ?? RunId) { KnownOutcome = response.Outcome };
    }

    /// <summary>A handle of an update that was sent before.</summary>
    public WorkflowUpdateHandle GetUpdateHandle(string updateId) => new(Client, updateId, Id, RunId);

    /// <inheritdoc cref="GetUpdateHandle(string)"/>
    public WorkflowUpdateHandle<TUpdateResult> GetUpdateHandle<TUpdateResult>(string updateId) => new(Client, updateId, Id, RunId);
}
