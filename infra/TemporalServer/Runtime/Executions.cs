using Grpc.Core;
using Microsoft.Extensions.Logging;
using Npgsql;
using TemporalServer.Engine;
using TemporalServer.Persistence;
using TemporalServer.Queues;
using TemporalServer.Timers;

namespace TemporalServer.Runtime;

/// <summary>
/// Runs transitions: one at a time per workflow id, each stored before any caller learns of it. If storing fails, the object in
/// memory is discarded, since what the database holds is then unknown, and the stored state is loaded again.
/// </summary>
internal sealed partial class Executions(
    ExecutionStore store, Ownership ownership, TaskQueues queues, Alarms alarms, RunWatch watch, PendingUpdates updates,
    ServerLimits limits, TimeProvider clock, ILogger logger)
{
    private const int CachedRuns = 2_000;
    private const long CachedBytes = 256L * 1024 * 1024;
    private static readonly TimeSpan WakeRetry = TimeSpan.FromSeconds(1);

    private readonly KeyedLocks<(string Namespace, string WorkflowId)> _locks = new();
    private readonly RunCache _cache = new(CachedRuns, CachedBytes);

    /// <summary>Called for each run that must do something to other runs.</summary>
    public Action<RunAddress> OnErrands { get; set; } = _ => { };

    /// <summary>Called after each stored transition.</summary>
    public Action<WorkflowRun> OnStored { get; set; } = _ => { };

    public DateTime Now => clock.GetUtcNow().UtcDateTime;

    /// <summary>Applies a transition to a run, or only reads the run if the transition changes nothing.</summary>
    /// <exception cref="RpcError">
    /// NOT_FOUND if the run does not exist; UNAVAILABLE if it could not be stored; whatever the transition throws.
    /// </exception>
    public async Task<T> UpdateAsync<T>(RunAddress address, Func<WorkflowRun, T> transition)
    {
        using var holder = await _locks.AcquireAsync((address.Namespace, address.WorkflowId));
        ownership.EnsureHeld();
        var run = await FindAsync(address) ?? throw NoSuchRun(address);
        return await ApplyAsync(run, transition);
    }

    public Task UpdateAsync(RunAddress address, Action<WorkflowRun> transition) => UpdateAsync(address, run =>
    {
        transition(run);
        return true;
    });

    /// <summary>
    /// Decides about a new run given the current one of that workflow id (null if none exists), and may change both.
    /// </summary>
    /// <param name="decide">Returns the answer and the run to be stored as the new current one, if any.</param>
    public async Task<T> StartAsync<T>(string ns, string workflowId, Func<WorkflowRun?, DateTime, (T Answer, WorkflowRun? Started)> decide)
    {
        using var holder = await _locks.AcquireAsync((ns, workflowId));
        ownership.EnsureHeld();
        var current = await FindAsync(new RunAddress(ns, workflowId));
        return await GuardAsync(current is null ? [] : [current], async () =>
        {
            current?.Begin(Now, limits);
            (var answer, var started) = decide(current, Now);
            await StoreAsync(current is { HasChanges: true } ? [current, started] : [started]);
            return answer;
        });
    }

    /// <summary>Resets a run: changes it, the runs that followed it and the current one, and starts another, all at once.</summary>
    /// <param name="decide">
    /// Gets the run with those that continued it, and the current run. Returns the answer and the new current run, if any.
    /// </param>
    /// <exception cref="RpcError">NOT_FOUND if the run does not exist; whatever <paramref name="decide"/> throws.</exception>
    public async Task<T> ResetAsync<T>(
        RunAddress address, Func<IReadOnlyList<WorkflowRun>, WorkflowRun, DateTime, (T Answer, WorkflowRun? Started)> decide)
    {
        using var holder = await _locks.AcquireAsync((address.Namespace, address.WorkflowId));
        ownership.EnsureHeld();
        var first = await FindAsync(address) ?? throw NoSuchRun(address);
        List<WorkflowRun> chain = [first];
        while (chain[^1].State.ContinuedRunId is { Length: > 0 } next && await FindAsync(address with { RunId = next }) is { } run)
        {
            chain.Add(run);
        }

        var current = await FindAsync(address with { RunId = "" }) ?? throw NoSuchRun(address);
        // The same run must be the same object.
        current = chain.Find(r => r.State.RunId == current.State.RunId) ?? current;
        WorkflowRun[] runs = [.. chain.Append(current).Distinct()];
        return await GuardAsync(runs, async () =>
        {
            foreach (var run in runs)
            {
                run.Begin(Now, limits);
            }

            (var answer, var started) = decide(chain, current, Now);
            await StoreAsync(runs.Where(r => r.HasChanges).Append(started));
            return answer;
        });
    }

    /// <summary>Removes a run that is closed and has nothing left to do to other runs. Does nothing to any other run.</summary>
    public async Task DeleteAsync(RunAddress address)
    {
        using var holder = await _locks.AcquireAsync((address.Namespace, address.WorkflowId));
        ownership.EnsureHeld();
        if (await FindAsync(address) is not { IsRunning: false } run || run.Errands().Any(e => e is not Errand.Delete))
        {
            return;
        }

        _cache.Remove(address.RunId);
        await store.DeleteAsync(address);
        watch.Changed(address.RunId);
    }

    /// <summary>Fires the timers of a run that are due.</summary>
    public async Task WakeAsync(RunAddress address)
    {
        try
        {
            await UpdateAsync(address, run =>
            {
                run.FireDueTimers();
                if (!run.HasChanges)
                {
                    // The database rounds times, so the alarm may have rung a moment too early.
                    alarms.Set(address, run.NextWake());
                }
            });
        }
        catch (RpcError e) when (e.StatusCode is StatusCode.NotFound or StatusCode.InvalidArgument)
        {
            // The run was deleted, or was ended because it exceeded its limits.
        }
        catch (RpcError e) when (e.StatusCode == StatusCode.Unavailable)
        {
            alarms.Set(address, Now + WakeRetry);
        }
    }

    /// <summary>Forgets everything in memory and offers again what is stored.</summary>
    public async Task RecoverAsync()
    {
        _cache.Clear();
        alarms.Clear();
        queues.Clear();
        (var withWork, var waiting) = await store.LoadPendingAsync();
        foreach ((var run, var at) in waiting)
        {
            alarms.Set(run, at);
        }

        foreach (var address in withWork)
        {
            using var holder = await _locks.AcquireAsync((address.Namespace, address.WorkflowId));
            if (await LoadAsync(address) is { } run)
            {
                Announce(run, run.Offers());
            }
        }

        LogRecovered(logger, withWork.Count, waiting.Count);
    }

    private async Task<T> ApplyAsync<T>(WorkflowRun run, Func<WorkflowRun, T> transition)
    {
        string? outgrown = null;
        var answer = await GuardAsync([run], async () =>
        {
            run.Begin(Now, limits);
            var result = transition(run);
            outgrown = run.HasChanges ? run.Outgrown() : null;
            if (run.HasChanges && outgrown is null)
            {
                await StoreAsync([run]);
            }

            return result;
        });
        if (outgrown is not null)
        {
            await EndOutgrownAsync(run, outgrown);
            throw RpcError.InvalidArgument(outgrown);
        }

        return answer;
    }

    // The transition that exceeded the limit is dropped; the run ends with the state before it.
    private async Task EndOutgrownAsync(WorkflowRun outgrown, string reason)
    {
        _cache.Remove(outgrown.State.RunId);
        if (await FindAsync(outgrown.Address) is { } run)
        {
            await GuardAsync([run], async () =>
            {
                run.Begin(Now, limits);
                run.Terminate(reason, null, WorkflowRun.ServerIdentity);
                await StoreAsync([run]);
                return true;
            });
        }
    }

    private async Task<T> GuardAsync<T>(IReadOnlyList<WorkflowRun> runs, Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception e)
        {
            foreach (var run in runs.Where(r => e is not RpcError || r.HasChanges))
            {
                _cache.Remove(run.State.RunId);
            }

            if (e is not (NpgsqlException or TimeoutException or IOException))
            {
                throw;
            }

            LogNotStored(logger, runs.Count > 0 ? runs[0].State.WorkflowId : "", e.Message);
            throw RpcError.Unavailable("The database did not take the change.");
        }
    }

    private async Task StoreAsync(IEnumerable<WorkflowRun?> changed)
    {
        var runs = new List<WorkflowRun>();
        foreach (var run in changed)
        {
            if (run is not null)
            {
                LeaveDeadStickyQueue(run);
                runs.Add(run);
                if (run.Continuation is { } next)
                {
                    runs.Add(next);
                }
            }
        }

        try
        {
            await store.SaveAsync(runs);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            foreach (var run in runs)
            {
                _cache.Remove(run.State.RunId);
                _ = ReofferAsync(run.Address);
            }

            throw;
        }

        foreach (var run in runs)
        {
            DispatchTask[] offers = [.. run.Tasks];
            UpdateProgress[] progress = [.. run.UpdateProgress];
            run.Commit();
            _cache.Put(run);
            updates.Report(run.State.RunId, progress);
            Announce(run, offers);
        }
    }

    private void LeaveDeadStickyQueue(WorkflowRun run)
    {
        if (run.Tasks.Any(t => t.Sticky && !queues.HasPoller(TaskQueues.KeyOf(t))))
        {
            run.LeaveStickyQueue();
        }
    }

    private void Announce(WorkflowRun run, IEnumerable<DispatchTask> offers)
    {
        alarms.Set(run.Address, run.NextWake());
        foreach (var task in offers)
        {
            // A task that was offered on a sticky queue before the run left that queue is already out of date.
            if (!task.Sticky || run.State.Task is { StickyQueue.Length: > 0 })
            {
                queues.Add(task);
            }
        }

        if (run.Errands().Any())
        {
            OnErrands(run.Address);
        }

        watch.Changed(run.State.RunId);
        OnStored(run);
        if (!run.IsRunning)
        {
            updates.End(run.State.RunId);
        }
    }

    /// <summary>After a change that may or may not be stored: offers what the database holds, as soon as it answers.</summary>
    private async Task ReofferAsync(RunAddress address)
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), clock);
            try
            {
                using var holder = await _locks.AcquireAsync((address.Namespace, address.WorkflowId));
                ownership.EnsureHeld();
                if (await FindAsync(address) is { } run)
                {
                    Announce(run, run.Offers());
                }

                return;
            }
            catch (RpcError)
            {
                // Ownership is lost; when the server takes it again, it offers everything.
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
            {
                LogNotStored(logger, address.WorkflowId, e.Message);
            }
        }
    }

    private async Task<WorkflowRun?> FindAsync(RunAddress address)
    {
        try
        {
            if (address.RunId.Length == 0)
            {
                if (await store.CurrentRunIdAsync(address.Namespace, address.WorkflowId) is not { } runId)
                {
                    return null;
                }

                address = address with { RunId = runId };
            }

            return _cache.Find(address.RunId) is { } run && run.Address == address ? run : await LoadAsync(address);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            LogNotStored(logger, address.WorkflowId, e.Message);
            throw RpcError.Unavailable("The database did not answer.");
        }
    }

    private async Task<WorkflowRun?> LoadAsync(RunAddress address)
    {
        var run = await store.LoadAsync(address);
        if (run is not null)
        {
            _cache.Put(run);
        }

        return run;
    }

    private static RpcError NoSuchRun(RunAddress address) => RpcError.NotFound(address.RunId.Length == 0
        ? $"workflow not found for ID: {address.WorkflowId}"
        : $"workflow execution not found for workflow ID \"{address.WorkflowId}\" and run ID \"{address.RunId}\"");

    [LoggerMessage(Level = LogLevel.Warning, Message = "Change of workflow {WorkflowId} was not stored: {Reason}")]
    private static partial void LogNotStored(ILogger logger, string workflowId, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Recovered {WithWork} runs with work and {Waiting} waiting for time")]
    private static partial void LogRecovered(ILogger logger, int withWork, int waiting);
}
