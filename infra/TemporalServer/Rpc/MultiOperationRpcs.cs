using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Temporalio.Api.ErrorDetails.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine;
using TemporalServer.Runtime;
using TemporalServer.Serving;
using TemporalServer.Visibility;

namespace TemporalServer.Rpc;

/// <summary>Update-with-start: starts a workflow, or finds it running, and adds an update in the same transition.</summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<MultiOperationRpcs>), "Bind")]
internal class MultiOperationRpcs(Starter starter, UpdateRpcs updates, ServerLimits limits, SearchAttributeTypes attributes)
{
    public virtual async Task<ExecuteMultiOperationResponse> ExecuteMultiOperation(
        ExecuteMultiOperationRequest request, ServerCallContext call)
    {
        if (request.Operations is not [{ StartWorkflow: { } start }, { UpdateWorkflow: { } update }])
        {
            throw RpcError.InvalidArgument("Operations have to be exactly [Start, Update].");
        }

        var checkedStart = Attempt(() => Checked(start), startFailed: true);
        Attempt(() => Check(update, start), startFailed: false);
        AdmittedUpdate? admitted = null;
        StartResult started;
        try
        {
            started = await starter.StartAsync(
                checkedStart, start.WorkflowIdReusePolicy, start.WorkflowIdConflictPolicy,
                run => admitted = Attempt(() => updates.Admit(run, update), startFailed: false),
                suffices: run => run.UpdateOutcome(update.Request.Meta.UpdateId) is not null);
        }
        catch (RpcError e) when (e.Detail is not MultiOperationExecutionFailure)
        {
            throw Failure(e, startFailed: true);
        }

        var response = new ExecuteMultiOperationResponse();
        response.Responses.Add(new ExecuteMultiOperationResponse.Types.Response
        {
            StartWorkflow = new()
            {
                RunId = started.RunId,
                FirstExecutionRunId = started.FirstRunId,
                Started = started.Started,
                Status = started.Status
            },
        });
        response.Responses.Add(
            new ExecuteMultiOperationResponse.Types.Response { UpdateWorkflow = await updates.WaitAsync(admitted!, update, call) });
        return response;
    }

    private RunStart Checked(StartWorkflowExecutionRequest start)
    {
        if (start.RequestEagerExecution || start.WorkflowStartDelay is not null)
        {
            throw RpcError.InvalidArgument("RequestEagerExecution and WorkflowStartDelay are not supported in a MultiOperation.");
        }

        return start.Checked(limits, attributes);
    }

    private bool Check(UpdateWorkflowExecutionRequest update, StartWorkflowExecutionRequest start)
    {
        updates.Check(update);
        if (update.WorkflowExecution?.WorkflowId != start.WorkflowId)
        {
            throw RpcError.InvalidArgument("WorkflowId is not consistent with previous operation(s)");
        }

        return update.FirstExecutionRunId.Length == 0 && update.WorkflowExecution.RunId.Length == 0
            ? true
            : throw RpcError.InvalidArgument("RunId and FirstExecutionRunId are not supported in a MultiOperation.");
    }

    private static T Attempt<T>(Func<T> operation, bool startFailed)
    {
        try
        {
            return operation();
        }
        catch (RpcError e)
        {
            throw Failure(e, startFailed);
        }
    }

    private static RpcError Failure(RpcError cause, bool startFailed)
    {
        MultiOperationExecutionFailure.Types.OperationStatus failed = Status(cause), aborted = Status(
            new RpcError(StatusCode.Aborted, "Operation was aborted.", new Temporalio.Api.Failure.V1.MultiOperationExecutionAborted()));
        var detail = new MultiOperationExecutionFailure();
        detail.Statuses.Add(startFailed ? [failed, aborted] : [aborted, failed]);
        return new RpcError(
            cause.StatusCode, $"MultiOperation could not be executed: {(startFailed ? "Start" : "Update")} failed: {cause.Message}",
            detail);
    }

    private static MultiOperationExecutionFailure.Types.OperationStatus Status(RpcError error)
    {
        var status = new MultiOperationExecutionFailure.Types.OperationStatus { Code = (int)error.StatusCode, Message = error.Message };
        if (error.Detail is { } detail)
        {
            status.Details.Add(Any.Pack(detail));
        }

        return status;
    }
}
