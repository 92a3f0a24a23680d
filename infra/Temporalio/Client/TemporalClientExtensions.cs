using System.Linq.Expressions;

namespace Temporalio.Client;

/// <summary>Start and wait in one call.</summary>
public static class TemporalClientExtensions
{
    /// <summary>Starts a workflow and waits for its result.</summary>
    /// <exception cref="Exceptions.WorkflowFailedException">The workflow did not succeed.</exception>
    /// <inheritdoc cref="ITemporalClient.StartWorkflowAsync{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, WorkflowOptions)"/>
    public static async Task<TResult> ExecuteWorkflowAsync<TWorkflow, TResult>(
        this ITemporalClient client, Expression<Func<TWorkflow, Task<TResult>>> workflowRunCall, WorkflowOptions options)
    {
        var handle = await client.StartWorkflowAsync(workflowRunCall, options);
        return await handle.GetResultAsync(rpcOptions: options.Rpc);
    }

    /// <inheritdoc cref="ExecuteWorkflowAsync{TWorkflow, TResult}(ITemporalClient, Expression{Func{TWorkflow, Task{TResult}}}, WorkflowOptions)"/>
    public static async Task ExecuteWorkflowAsync<TWorkflow>(
        this ITemporalClient client, Expression<Func<TWorkflow, Task>> workflowRunCall, WorkflowOptions options)
    {
        var handle = await client.StartWorkflowAsync(workflowRunCall, options);
        await handle.GetResultAsync(rpcOptions: options.Rpc);
    }

    /// <inheritdoc cref="ExecuteWorkflowAsync{TWorkflow, TResult}(ITemporalClient, Expression{Func{TWorkflow, Task{TResult}}}, WorkflowOptions)"/>
    public static async Task<TResult> ExecuteWorkflowAsync<TResult>(
        this ITemporalClient client, string workflow, IReadOnlyCollection<object?> args, WorkflowOptions options)
    {
        var handle = await client.StartWorkflowAsync(workflow, args, options);
        return await handle.GetResultAsync<TResult>(rpcOptions: options.Rpc);
    }

    /// <inheritdoc cref="ExecuteWorkflowAsync{TWorkflow, TResult}(ITemporalClient, Expression{Func{TWorkflow, Task{TResult}}}, WorkflowOptions)"/>
    public static async Task ExecuteWorkflowAsync(
        this ITemporalClient client, string workflow, IReadOnlyCollection<object?> args, WorkflowOptions options)
    {
        var handle = await client.StartWorkflowAsync(workflow, args, options);
        await handle.GetResultAsync(rpcOptions: options.Rpc);
    }
}
