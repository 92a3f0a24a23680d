using Temporalio.Api.Update.V1;
using TemporalServer.Engine;

namespace TemporalServer.Queues;

/// <summary>An update that callers wait for.</summary>
internal sealed class PendingUpdate(Request request, bool inHistory = false)
{
    public Request Request { get; } = request;

    /// <summary>The request must be sent to a worker.</summary>
    public bool IsWaiting => !inHistory && !Accepted.Task.IsCompleted;

    public bool IsAccepted => Accepted.Task.IsCompletedSuccessfully;

    /// <summary>Completes when accepted, rejected or completed.</summary>
    public TaskCompletionSource Accepted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The update's outcome; faults if the run closed first.</summary>
    public TaskCompletionSource<Outcome> Completed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>
/// Updates by run. Those that no worker has accepted yet exist only here: a restart forgets them and their callers, whose
/// calls broke, send them again under the same id.
/// </summary>
internal sealed class PendingUpdates
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, OrderedDictionary<string, PendingUpdate>> _byRun = [];
    private readonly Dictionary<string, HashSet<string>> _shown = [];

    /// <param name="inHistory">History has an event that gives workers the request.</param>
    public PendingUpdate GetOrAdd(string runId, Request request, bool inHistory = false)
    {
        lock (_gate)
        {
            if (!_byRun.TryGetValue(runId, out var updates))
            {
                _byRun[runId] = updates = [];
            }

            if (!updates.TryGetValue(request.Meta.UpdateId, out var update))
            {
                updates[request.Meta.UpdateId] = update = new PendingUpdate(request, inHistory);
            }

            return update;
        }
    }

    public PendingUpdate? Find(string runId, string updateId)
    {
        lock (_gate)
        {
            return _byRun.GetValueOrDefault(runId)?.GetValueOrDefault(updateId);
        }
    }

    /// <summary>The number of updates that no worker has accepted yet and that history does not hold.</summary>
    public int Waiting(string runId)
    {
        lock (_gate)
        {
            return _byRun.GetValueOrDefault(runId)?.Values.Count(u => u.IsWaiting) ?? 0;
        }
    }

    /// <summary>The requests that a workflow task sent now must carry.</summary>
    /// <param name="answered">What the current transition, which is not stored yet, did to updates: those need no worker any more.</param>
    public IReadOnlyList<Request> Show(string runId, IReadOnlyList<UpdateProgress> answered)
    {
        lock (_gate)
        {
            Request[] requests = _byRun.TryGetValue(runId, out var updates)
                ? [.. updates.Values.Where(u => u.IsWaiting).Select(u => u.Request)
                    .ExceptBy(answered.Select(a => a.UpdateId), r => r.Meta.UpdateId)]
                : [];
            _shown[runId] = [.. requests.Select(r => r.Meta.UpdateId)];
            if (requests.Length == 0)
            {
                _shown.Remove(runId);
            }

            return requests;
        }
    }

    /// <summary>What the engine needs when a worker answers that task.</summary>
    public UpdateInbox Inbox(string runId)
    {
        lock (_gate)
        {
            return _byRun.TryGetValue(runId, out var updates)
                ? new UpdateInbox(
                    updates.Values.Where(u => u.IsWaiting).ToDictionary(u => u.Request.Meta.UpdateId, u => u.Request),
                    _shown.GetValueOrDefault(runId) ?? [])
                : UpdateInbox.Empty;
        }
    }

    public void Report(string runId, IReadOnlyList<UpdateProgress> progress)
    {
        foreach (var step in progress)
        {
            PendingUpdate? update;
            lock (_gate)
            {
                update = _byRun.GetValueOrDefault(runId)?.GetValueOrDefault(step.UpdateId);
                if (step.Outcome is not null)
                {
                    _byRun.GetValueOrDefault(runId)?.Remove(step.UpdateId);
                }
            }

            if (step.Outcome is { } outcome)
            {
                update?.Completed.TrySetResult(outcome);
            }

            update?.Accepted.TrySetResult();
        }
    }

    /// <summary>Called when the run has closed: accepted updates fail, and callers of the others get NOT_FOUND.</summary>
    public void End(string runId)
    {
        OrderedDictionary<string, PendingUpdate>? updates;
        lock (_gate)
        {
            _byRun.Remove(runId, out updates);
            _shown.Remove(runId);
        }

        foreach (var update in updates?.Values ?? Enumerable.Empty<PendingUpdate>())
        {
            if (update.IsAccepted)
            {
                update.Completed.TrySetResult(WorkflowRun.NeverFinished);
            }
            else
            {
                var error = RpcError.NotFound("workflow execution already completed");
                update.Completed.TrySetException(error);
                update.Accepted.TrySetException(error);
            }
        }
    }
}
