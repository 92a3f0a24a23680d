using Alt.Activities;
using Alt.Workflows;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Exceptions;

namespace Alt.Host.Progress;

/// <summary>Reads a run's progress: the workflows' own answers and the heartbeats of their activities.</summary>
internal sealed class ProgressReader(ITemporalClient client, string run)
{
    /// <summary>A query needs a worker, and a worker that is being started again must not hold up the display.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private AltRunWorkflow.State? _lastRun;
    private IterationWorkflow.State? _lastIteration;

    /// <exception cref="RpcException">The server cannot be reached or knows no such run.</exception>
    public async Task<RunSnapshot> ReadAsync(CancellationToken token)
    {
        var workflow = client.GetWorkflowHandle<AltRunWorkflow>(AltRunWorkflow.IdOf(run));
        var description = await DescribeAsync(workflow.Id, token);
        if (description.WorkflowExecutionInfo.Status != WorkflowExecutionStatus.Running)
        {
            return new(run, true, _lastRun, null, null, null);
        }

        var before = _lastRun?.Iteration;
        _lastRun = await QueryAsync(() => workflow.QueryAsync(w => w.Progress(), new() { Rpc = Rpc(token) }), token) ?? _lastRun;
        var pending = description.PendingActivities.ToList();
        if (_lastRun?.Iteration != before)
        {
            _lastIteration = null;
        }

        if (_lastRun is { Phase: RunPhase.Iterating } progress)
        {
            var iteration = client.GetWorkflowHandle<IterationWorkflow>(AltRunWorkflow.IterationIdOf(run, progress.Iteration));
            _lastIteration = await QueryAsync(() => iteration.QueryAsync(w => w.Progress(), new() { Rpc = Rpc(token) }), token)
                ?? _lastIteration;
            pending.AddRange(await PendingAsync(iteration.Id, token));
        }

        return new(
            run, false, _lastRun, _lastRun?.Phase == RunPhase.Iterating ? _lastIteration : null, await TogetherAsync(pending),
            TroubleOf(pending));
    }

    private static RpcOptions Rpc(CancellationToken token) => new() { Timeout = Patience, Retry = false, CancellationToken = token };

    private Task<DescribeWorkflowExecutionResponse> DescribeAsync(string workflow, CancellationToken token) =>
        client.WorkflowService.DescribeWorkflowExecutionAsync(
            new() { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = workflow } }, Rpc(token));

    private static async Task<T?> QueryAsync<T>(Func<Task<T>> query, CancellationToken token)
        where T : class
    {
        try
        {
            return await query();
        }
        catch (Exception e)
            when (e is RpcException or WorkflowQueryFailedException or WorkflowQueryRejectedException or OperationCanceledException
            && !token.IsCancellationRequested)
        {
            // No worker answers right now; its last answer still holds.
            return null;
        }
    }

    private async Task<IEnumerable<PendingActivityInfo>> PendingAsync(string workflow, CancellationToken token)
    {
        try
        {
            return (await DescribeAsync(workflow, token)).PendingActivities;
        }
        catch (RpcException e) when (e.Code == RpcException.StatusCode.NotFound)
        {
            // Announced, but its start has not reached the server.
            return [];
        }
    }

    private async Task<StageProgress?> TogetherAsync(IEnumerable<PendingActivityInfo> pending)
    {
        var beats = new List<StageProgress>();
        foreach (var details in pending.Select(a => a.HeartbeatDetails).Where(d => d is { Payloads_.Count: > 0 }))
        {
            // The client's converter reads it, since payloads may be encrypted.
            beats.Add(await client.Options.DataConverter.ToValueAsync<StageProgress>(details.Payloads_[0]));
        }

        return beats.Count == 0
            ? null
            : beats[0] with { Done = beats.Sum(b => b.Done), Total = beats.Sum(b => b.Total), PerSecond = beats.Sum(b => b.PerSecond) };
    }

    private static string? TroubleOf(IEnumerable<PendingActivityInfo> pending) => pending
        .Where(a => a.Attempt > 1 && a.LastFailure is not null)
        .Select(a => $"{a.ActivityType.Name}, attempt {a.Attempt}: {Messages.OneLine(a.LastFailure.Message)}")
        .FirstOrDefault();
}
