using Grpc.Core;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine;
using TemporalServer.Queues;
using TemporalServer.Runtime;
using TemporalServer.Serving;

namespace TemporalServer.Rpc;

/// <summary>An update that was added to a run.</summary>
internal sealed record AdmittedUpdate(RunAddress Run, PendingUpdate Update);

/// <summary>Updates: sends them to a workflow and waits for the stage that the caller names.</summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<UpdateRpcs>), "Bind")]
internal class UpdateRpcs(Executions executions, PendingUpdates updates, ServerLimits limits, LongPolls polls)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    public virtual async Task<UpdateWorkflowExecutionResponse> UpdateWorkflowExecution(
        UpdateWorkflowExecutionRequest request, ServerCallContext call)
    {
        Check(request);
        var admitted = await executions.UpdateAsync(
            Requests.Address(request.Namespace, request.WorkflowExecution), run => Admit(run, request));
        return await WaitAsync(admitted, request, call);
    }

    public virtual async Task<PollWorkflowExecutionUpdateResponse> PollWorkflowExecutionUpdate(
        PollWorkflowExecutionUpdateRequest request, ServerCallContext call)
    {
        if (request.UpdateRef is not { UpdateId.Length: > 0 } reference)
        {
            throw RpcError.InvalidArgument("UpdateRef is not set on request.");
        }

        var id = reference.UpdateId;
        (var run, var ended, var known, var pending) = await executions.UpdateAsync(
            Requests.Address(request.Namespace, reference.WorkflowExecution),
            run =>
            {
                var isKnown = run.State.Updates.ContainsKey(id);
                var update = updates.Find(run.State.RunId, id) ?? (isKnown && run.IsRunning ? Known(run, id) : null);
                return (run.Address, run.UpdateOutcome(id), isKnown, update);
            });
        if (ended is null && pending is null)
        {
            throw RpcError.NotFound(known ? "workflow execution already completed" : $"update {id} not found");
        }

        var stage = request.WaitPolicy?.LifecycleStage
            ?? UpdateWorkflowExecutionLifecycleStage.Unspecified;
        (stage, var outcome) = ended is null
            ? await StageAsync(pending!, stage, call)
            : (UpdateWorkflowExecutionLifecycleStage.Completed, ended);
        return new() { UpdateRef = Ref(run, id), Outcome = outcome, Stage = stage };
    }

    /// <summary>Adds the update to what the run's next workflow task carries, unless it is known already.</summary>
    public AdmittedUpdate Admit(WorkflowRun run, UpdateWorkflowExecutionRequest request)
    {
        var id = request.Request.Meta.UpdateId;
        if (run.UpdateOutcome(id) is { } outcome)
        {
            var ended = new PendingUpdate(request.Request);
            ended.Accepted.TrySetResult();
            ended.Completed.TrySetResult(outcome);
            return new(run.Address, ended);
        }

        if (!run.IsRunning)
        {
            throw RpcError.NotFound("workflow execution already completed");
        }

        if (request.FirstExecutionRunId.Length > 0 && run.State.FirstRunId != request.FirstExecutionRunId)
        {
            throw RpcError.NotFound(
                $"workflow execution not found for workflow ID \"{run.State.WorkflowId}\" and first run ID "
                + $"\"{request.FirstExecutionRunId}\"");
        }

        if (run.State.Updates.ContainsKey(id))
        {
            return new(run.Address, Known(run, id));
        }

        if (updates.Find(run.State.RunId, id) is null && run.NoRoomForUpdate(updates.Waiting(run.State.RunId)) is { } full)
        {
            throw full;
        }

        var update = updates.GetOrAdd(run.State.RunId, request.Request);
        run.ScheduleWorkflowTask();
        return new(run.Address, update);
    }

    /// <summary>Waits until the update has reached the stage that the caller asks for, at most 20 s or the call's deadline.</summary>
    public async Task<UpdateWorkflowExecutionResponse> WaitAsync(
        AdmittedUpdate admitted, UpdateWorkflowExecutionRequest request, ServerCallContext call)
    {
        var wanted = request.WaitPolicy?.LifecycleStage ?? UpdateWorkflowExecutionLifecycleStage.Accepted;
        (var stage, var outcome) = await StageAsync(admitted.Update, wanted, call);
        return new() { UpdateRef = Ref(admitted.Run, request.Request.Meta.UpdateId), Outcome = outcome, Stage = stage };
    }

    /// <exception cref="RpcError">INVALID_ARGUMENT.</exception>
    public void Check(UpdateWorkflowExecutionRequest request)
    {
        Requests.EnsureFit(limits, request.Request);
        if (request.Request is not { Input.Name.Length: > 0 })
        {
            throw RpcError.InvalidArgument("Update name is not set on request.");
        }

        request.Request.Meta ??= new();
        if (request.Request.Meta.UpdateId.Length == 0)
        {
            request.Request.Meta.UpdateId = Guid.NewGuid().ToString();
        }
    }

    private async Task<(UpdateWorkflowExecutionLifecycleStage Stage, Outcome? Outcome)> StageAsync(
        PendingUpdate update, UpdateWorkflowExecutionLifecycleStage wanted, ServerCallContext call)
    {
        using var poll = polls.Begin(call, LongestWait);
        var reached = wanted switch
        {
            UpdateWorkflowExecutionLifecycleStage.Completed => update.Completed.Task,
            UpdateWorkflowExecutionLifecycleStage.Accepted => update.Accepted.Task,
            _ => Task.CompletedTask,
        };
        try
        {
            await reached.WaitAsync(poll.Over);
        }
        catch (OperationCanceledException) when (!poll.IsAbandoned)
        {
            // The caller asks again.
        }

        if (update.Completed.Task.IsCompleted)
        {
            return (UpdateWorkflowExecutionLifecycleStage.Completed, await update.Completed.Task);
        }

        return (update.IsAccepted ? UpdateWorkflowExecutionLifecycleStage.Accepted : UpdateWorkflowExecutionLifecycleStage.Admitted, null);
    }

    // An update that history holds. After a restart, or in a run that a reset started, it is not in memory yet.
    private PendingUpdate Known(WorkflowRun run, string id)
    {
        var update = updates.GetOrAdd(run.State.RunId, new Request { Meta = new() { UpdateId = id } }, inHistory: true);
        if (run.IsUpdateAccepted(id))
        {
            update.Accepted.TrySetResult();
        }

        return update;
    }

    private static UpdateRef Ref(RunAddress run, string id) => new()
    {
        WorkflowExecution = new() { WorkflowId = run.WorkflowId, RunId = run.RunId },
        UpdateId = id,
    };
}
