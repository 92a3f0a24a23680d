using Grpc.Core;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.ErrorDetails.V1;
using Temporalio.Api.Workflow.V1;
using TemporalServer.Engine;

namespace TemporalServer.Runtime;

/// <summary>The result of a start.</summary>
/// <param name="Started">False where an existing run was used.</param>
internal sealed record StartResult(string RunId, string FirstRunId, bool Started, WorkflowExecutionStatus Status);

/// <summary>Starts runs, subject to the run that already exists under the workflow id.</summary>
internal sealed class Starter(Executions executions)
{
    /// <param name="atOnce">
    /// Applied to the run that the caller gets, new or existing, in the same transition; applying it twice must be harmless.
    /// </param>
    /// <param name="attach">If an existing run is used: what it records of the request.</param>
    /// <param name="suffices">
    /// Whether the current run, even closed, already has what the caller wants; it is then used whatever the policies are.
    /// </param>
    /// <exception cref="RpcError">ALREADY_EXISTS where the policies forbid another run.</exception>
    public Task<StartResult> StartAsync(
        RunStart start, WorkflowIdReusePolicy reuse, WorkflowIdConflictPolicy conflict, Action<WorkflowRun>? atOnce = null,
        OnConflictOptions? attach = null, Func<WorkflowRun, bool>? suffices = null) =>
        executions.StartAsync(start.Namespace, start.Attributes.WorkflowId, (current, now) =>
        {
            if (current is not null && start.RequestId.Length > 0 && current.State.StartRequestIds.Contains(start.RequestId))
            {
                // The same call again, because its first answer was lost.
                if (current.IsRunning)
                {
                    atOnce?.Invoke(current);
                }

                return (ResultOf(current, true), null);
            }

            if (current is not null && suffices?.Invoke(current) == true)
            {
                atOnce?.Invoke(current);
                return (ResultOf(current, false), null);
            }

            if (current is { IsRunning: true })
            {
                switch (ConflictPolicy(reuse, conflict))
                {
                    case WorkflowIdConflictPolicy.UseExisting:
                        if (attach is not null)
                        {
                            current.AttachRequest(start.RequestId, attach);
                        }

                        atOnce?.Invoke(current);
                        return (ResultOf(current, false), null);
                    case WorkflowIdConflictPolicy.TerminateExisting:
                        current.Terminate("TerminateIfRunning WorkflowIdReusePolicy", null, WorkflowRun.ServerIdentity);
                        break;
                    default:
                        throw AlreadyStarted(current, "Workflow execution is already running.");
                }
            }
            else if (current is not null)
            {
                EnsureReusable(current, reuse);
            }

            var run = WorkflowRun.Start(start, now);
            atOnce?.Invoke(run);
            return (ResultOf(run, true), run);
        });

    private static WorkflowIdConflictPolicy ConflictPolicy(WorkflowIdReusePolicy reuse, WorkflowIdConflictPolicy conflict) =>
        reuse == WorkflowIdReusePolicy.TerminateIfRunning ? WorkflowIdConflictPolicy.TerminateExisting : conflict;

    private static void EnsureReusable(WorkflowRun closed, WorkflowIdReusePolicy reuse)
    {
        if (reuse == WorkflowIdReusePolicy.RejectDuplicate)
        {
            throw AlreadyStarted(closed, "Workflow execution already finished. WorkflowIdReusePolicy: RejectDuplicate.");
        }

        if (reuse == WorkflowIdReusePolicy.AllowDuplicateFailedOnly && closed.State.Status == WorkflowExecutionStatus.Completed)
        {
            throw AlreadyStarted(
                closed, "Workflow execution already finished successfully. WorkflowIdReusePolicy: AllowDuplicateFailedOnly.");
        }
    }

    private static RpcError AlreadyStarted(WorkflowRun run, string text) => new(
        StatusCode.AlreadyExists,
        $"{text} WorkflowId: {run.State.WorkflowId}, RunId: {run.State.RunId}.",
        new WorkflowExecutionAlreadyStartedFailure
        {
            RunId = run.State.RunId,
            FirstExecutionRunId = run.State.FirstRunId,
            StartRequestId = run.State.StartRequestIds.FirstOrDefault() ?? "",
        });

    private static StartResult ResultOf(WorkflowRun run, bool started) =>
        new(run.State.RunId, run.State.FirstRunId, started, run.State.Status);
}
