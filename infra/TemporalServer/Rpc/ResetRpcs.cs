using Grpc.Core;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine;
using TemporalServer.Runtime;
using TemporalServer.Serving;

namespace TemporalServer.Rpc;

/// <summary>Reset: a new run continues the workflow from an earlier point of its history.</summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<ResetRpcs>), "Bind")]
internal class ResetRpcs(Executions executions)
{
    public virtual async Task<ResetWorkflowExecutionResponse> ResetWorkflowExecution(
        ResetWorkflowExecutionRequest request, ServerCallContext call)
    {
        if (request.PostResetOperations.Any(o => o.VariantCase != PostResetOperation.VariantOneofCase.SignalWorkflow))
        {
            throw RpcError.InvalidArgument("PostResetOperations: this server supports SignalWorkflow only.");
        }

        var reset = new Reset(
            request.WorkflowTaskFinishEventId, request.Reason, request.RequestId, Excluded(request), [.. request.PostResetOperations]);
        var runId = await executions.ResetAsync(
            Requests.Address(request.Namespace, request.WorkflowExecution), (chain, current, now) => Decide(chain, current, reset, now));
        return new() { RunId = runId };
    }

    private static (string RunId, WorkflowRun? Started) Decide(
        IReadOnlyList<WorkflowRun> chain, WorkflowRun current, Reset reset, DateTime now)
    {
        if (reset.RequestId.Length > 0 && current.State.StartRequestIds.Contains(reset.RequestId))
        {
            // The same call again, because its first answer was lost.
            return (current.State.RunId, null);
        }

        var source = chain[0];
        if (reset.FinishEventId <= 1 || reset.FinishEventId > source.History.Count)
        {
            throw RpcError.InvalidArgument("Workflow task finish ID must be > 1 && <= workflow last event ID.");
        }

        HashSet<long> openChildren = [.. source.State.Children.Keys];
        if (current.IsRunning)
        {
            current.YieldToReset(reset.Reason);
        }

        var started = WorkflowRun.StartReset(chain, openChildren, reset, now);
        source.RecordReset(started.State.RunId);
        if (current != source)
        {
            current.RecordReset(started.State.RunId);
        }

        return (started.State.RunId, started);
    }

    private static HashSet<ResetReapplyExcludeType> Excluded(ResetWorkflowExecutionRequest request)
    {
        HashSet<ResetReapplyExcludeType> excluded = [.. request.ResetReapplyExcludeTypes];
        // The older field names what to keep instead; unset means everything.
        if (request.ResetReapplyType is ResetReapplyType.None)
        {
            excluded.Add(ResetReapplyExcludeType.Signal);
        }

        if (request.ResetReapplyType is ResetReapplyType.None or ResetReapplyType.Signal)
        {
            excluded.Add(ResetReapplyExcludeType.Update);
        }

        return excluded;
    }
}
