using System.Collections.Concurrent;
using TemporalServer.Engine;
using TemporalServer.Engine.State;

namespace TemporalServer.Queues;

/// <summary>Names one queue. Workflow tasks and activity tasks of the same name have separate queues.</summary>
internal readonly record struct QueueKey(string Namespace, string Name, bool Activities);

/// <summary>Something offered to a worker: a task of a run, or a query to be answered.</summary>
internal abstract record Offer
{
    private Offer()
    {
    }

    public sealed record Work(DispatchTask Task) : Offer;

    public sealed record Question(PendingQuery Query) : Offer;
}

/// <summary>The worker that polls a queue.</summary>
/// <param name="WorkerInstanceKey">Of the polling worker; may be empty.</param>
internal sealed record Poller(string Identity, string WorkerInstanceKey);

/// <summary>All queues. They are not authoritative: what a crash loses, the stored runs offer again.</summary>
internal sealed class TaskQueues(TimeProvider clock)
{
    /// <summary>A queue whose last poll is older than this has no worker any more.</summary>
    private static readonly TimeSpan PollerMemory = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<QueueKey, TaskQueue> _queues = new();

    public static QueueKey KeyOf(DispatchTask task) => new(task.Run.Namespace, task.Queue, task.Kind == TaskKind.Activity);

    public TaskQueue this[QueueKey key] => _queues.GetOrAdd(key, _ => new TaskQueue(clock));

    public void Add(DispatchTask task) => this[KeyOf(task)].Add(new Offer.Work(task));

    /// <summary>Whether a worker polls the queue now or did within <see cref="PollerMemory"/>.</summary>
    public bool HasPoller(QueueKey key) =>
        _queues.TryGetValue(key, out var queue) && queue.HasPollerSince(clock.GetUtcNow() - PollerMemory);

    /// <summary>Ends the polls of a worker that shuts down, and forgets its sticky queue.</summary>
    public void EndPolls(string ns, string stickyQueue, string workerInstanceKey)
    {
        foreach ((var key, var queue) in _queues)
        {
            if (key.Namespace != ns)
            {
                continue;
            }

            var sticky = stickyQueue.Length > 0 && key.Name == stickyQueue;
            queue.EndPolls(p => sticky || (workerInstanceKey.Length > 0 && p.WorkerInstanceKey == workerInstanceKey), sticky);
        }
    }

    /// <summary>Ends every poll with an empty answer.</summary>
    public void EndAllPolls()
    {
        foreach (var queue in _queues.Values)
        {
            queue.EndPolls(_ => true, forget: false);
        }
    }

    /// <summary>Drops all offers, before everything stored is offered again.</summary>
    public void Clear()
    {
        foreach (var queue in _queues.Values)
        {
            queue.Clear();
        }
    }
}
