using Temporalio.Api.Enums.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Exceptions;

namespace Temporalio.Client;

/// <summary>An update that was sent.</summary>
/// <param name="Client">Client.</param>
/// <param name="Id">Update ID.</param>
/// <param name="WorkflowId">Workflow ID.</param>
/// <param name="WorkflowRunId">Run ID.</param>
public record WorkflowUpdateHandle(ITemporalClient Client, string Id, string WorkflowId, string? WorkflowRunId = null)
{
    internal Outcome? KnownOutcome { get; set; }

    /// <summary>Waits for the update's end, without its result.</summary>
    /// <exception cref="WorkflowUpdateFailedException">The update was rejected or failed; the inner exception says why.</exception>
    public Task GetResultAsync(RpcOptions? rpcOptions = null) => GetResultAsync<ValueTuple>(rpcOptions);

    /// <summary>Waits for the update's result.</summary>
    /// <exception cref="WorkflowUpdateFailedException">The update was rejected or failed; the inner exception says why.</exception>
    public async Task<TResult> GetResultAsync<TResult>(RpcOptions? rpcOptions = null)
    {
        while (KnownOutcome is null)
        {
            var response = await Client.WorkflowService.PollWorkflowExecutionUpdateAsync(
                new()
                {
                    Namespace = Client.Options.Namespace,
                    UpdateRef = new() { UpdateId = Id, WorkflowExecution = new() { WorkflowId = WorkflowId, RunId = WorkflowRunId ?? "" } },
                    Identity = Client.Connection.Options.Identity,
                    WaitPolicy = new() { LifecycleStage = UpdateWorkflowExecutionLifecycleStage.Completed },
                },
                TemporalClient.Retrying(rpcOptions));
            KnownOutcome = response.Outcome;
        }
        return KnownOutcome.Failure is { } failure
            ? throw new WorkflowUpdateFailedException(await Client.Options.DataConverter.ToExceptionAsync(failure))
            : await Client.Options.DataConverter.ToSingleValueAsync<TResult>(KnownOutcome.Success);
    }
}

/// <summary>An update of a known result that was sent.</summary>
/// <typeparam name="TResult">Type of the result.</typeparam>
/// <inheritdoc cref="WorkflowUpdateHandle"/>
public record WorkflowUpdateHandle<TResult>(ITemporalClient Client, string Id, string WorkflowId, string? WorkflowRunId = null)
    : WorkflowUpdateHandle(Client, Id, WorkflowId, WorkflowRunId)
{
    /// <summary>Waits for the update's result.</summary>
    /// <exception cref="WorkflowUpdateFailedException">The update was rejected or failed; the inner exception says why.</exception>
    public new Task<TResult> GetResultAsync(RpcOptions? rpcOptions = null) => GetResultAsync<TResult>(rpcOptions);
}
