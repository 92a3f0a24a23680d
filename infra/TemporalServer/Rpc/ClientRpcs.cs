using Grpc.Core;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine;
using TemporalServer.Runtime;
using TemporalServer.Serving;
using TemporalServer.Visibility;

namespace TemporalServer.Rpc;

/// <summary>What clients do to workflows: start, signal, cancel, terminate, delete, describe.</summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<ClientRpcs>), "Bind")]
internal class ClientRpcs(Executions executions, Starter starter, ServerLimits limits, SearchAttributeTypes attributes)
{
    public virtual async Task<StartWorkflowExecutionResponse> StartWorkflowExecution(
        StartWorkflowExecutionRequest request, ServerCallContext call)
    {
        var result = await starter.StartAsync(
            request.Checked(limits, attributes), request.WorkflowIdReusePolicy, request.WorkflowIdConflictPolicy,
            attach: request.OnConflictOptions);
        return new() { RunId = result.RunId, FirstExecutionRunId = result.FirstRunId, Started = result.Started, Status = result.Status };
    }

    public virtual async Task<SignalWithStartWorkflowExecutionResponse> SignalWithStartWorkflowExecution(
        SignalWithStartWorkflowExecutionRequest request, ServerCallContext call)
    {
        if (request.SignalName.Length == 0)
        {
            throw RpcError.InvalidArgument("SignalName is not set on request.");
        }

        Requests.EnsureFit(limits, request.SignalInput);
        if (request.WorkflowIdConflictPolicy == WorkflowIdConflictPolicy.Fail)
        {
            throw RpcError.InvalidArgument(
                "Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.");
        }

        var conflict = request.WorkflowIdConflictPolicy == WorkflowIdConflictPolicy.Unspecified
            ? WorkflowIdConflictPolicy.UseExisting
            : request.WorkflowIdConflictPolicy;
        var result = await starter.StartAsync(
            request.AsStart().Checked(limits, attributes), request.WorkflowIdReusePolicy, conflict, run =>
                run.Signal(new WorkflowExecutionSignaledEventAttributes
                {
                    SignalName = request.SignalName,
                    Input = request.SignalInput,
                    Identity = request.Identity,
                    Header = request.Header,
                    RequestId = request.RequestId,
                }));
        return new() { RunId = result.RunId, FirstExecutionRunId = result.FirstRunId, Started = result.Started };
    }

    public virtual async Task<SignalWorkflowExecutionResponse> SignalWorkflowExecution(
        SignalWorkflowExecutionRequest request, ServerCallContext call)
    {
        if (request.SignalName.Length == 0)
        {
            throw RpcError.InvalidArgument("SignalName is not set on request.");
        }

        Requests.EnsureFit(limits, request.Input);
        await executions.UpdateAsync(Requests.Address(request.Namespace, request.WorkflowExecution), run =>
            run.Signal(new WorkflowExecutionSignaledEventAttributes
            {
                SignalName = request.SignalName,
                Input = request.Input,
                Identity = request.Identity,
                Header = request.Header,
                RequestId = request.RequestId,
            }));
        return new();
    }

    public virtual async Task<RequestCancelWorkflowExecutionResponse> RequestCancelWorkflowExecution(
        RequestCancelWorkflowExecutionRequest request, ServerCallContext call)
    {
        await executions.UpdateAsync(Requests.Address(request.Namespace, request.WorkflowExecution), run =>
        {
            EnsureChain(run, request.FirstExecutionRunId);
            run.RequestCancel(request.Reason, request.Identity, request.RequestId);
        });
        return new();
    }

    public virtual async Task<TerminateWorkflowExecutionResponse> TerminateWorkflowExecution(
        TerminateWorkflowExecutionRequest request, ServerCallContext call)
    {
        Requests.EnsureFit(limits, request.Details);
        await executions.UpdateAsync(Requests.Address(request.Namespace, request.WorkflowExecution), run =>
        {
            EnsureChain(run, request.FirstExecutionRunId);
            run.Terminate(request.Reason, request.Details, request.Identity);
        });
        return new();
    }

    public virtual async Task<DeleteWorkflowExecutionResponse> DeleteWorkflowExecution(
        DeleteWorkflowExecutionRequest request, ServerCallContext call)
    {
        await executions.UpdateAsync(Requests.Address(request.Namespace, request.WorkflowExecution), run =>
            run.Delete(WorkflowRun.ServerIdentity));
        return new();
    }

    public virtual Task<DescribeWorkflowExecutionResponse> DescribeWorkflowExecution(
        DescribeWorkflowExecutionRequest request, ServerCallContext call) =>
        executions.UpdateAsync(Requests.Address(request.Namespace, request.Execution), run => run.Describe());

    private static void EnsureChain(WorkflowRun run, string firstRunId)
    {
        if (firstRunId.Length > 0 && run.State.FirstRunId != firstRunId)
        {
            throw RpcError.NotFound(
                $"workflow execution not found for workflow ID \"{run.State.WorkflowId}\" and first run ID \"{firstRunId}\"");
        }
    }
}
