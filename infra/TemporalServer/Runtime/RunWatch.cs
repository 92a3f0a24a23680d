using System.Collections.Concurrent;

namespace TemporalServer.Runtime;

/// <summary>Lets callers wait for the next stored change of a run.</summary>
internal sealed class RunWatch
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> waiting = new();

    /// <summary>Completes with the next change. Take it before looking at the run, so that no change falls between.</summary>
    public Task NextChange(string runId) =>
        waiting.GetOrAdd(runId, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Changed(string runId)
    {
        if (waiting.TryRemove(runId, out TaskCompletionSource? source))
        {
            source.TrySetResult();
        }
    }
}
