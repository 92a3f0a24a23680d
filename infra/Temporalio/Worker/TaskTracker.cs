using System.Collections.Concurrent;

namespace Temporalio.Worker;

/// <summary>Tasks that run on their own and must have ended before the worker does.</summary>
internal sealed class TaskTracker
{
    private readonly ConcurrentDictionary<Task, bool> tasks = new();

    public int Count => tasks.Count;

    public void Add(Task task)
    {
        tasks[task] = true;
        _ = task.ContinueWith(ended => tasks.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Waits until none is left; throws what the last of them threw.</summary>
    public async Task DrainAsync()
    {
        while (!tasks.IsEmpty)
        {
            await Task.WhenAll(tasks.Keys);
        }
    }
}
