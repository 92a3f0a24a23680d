using TemporalServer.Engine;

namespace TemporalServer.Timers;

/// <summary>
/// Wakes runs when their next timer is due. The times are stored with the runs; this is only the queue that waits for the
/// earliest, and an entry that is out of date wakes a run that then finds nothing to do.
/// </summary>
internal sealed class Alarms(TimeProvider clock)
{
    // Timers further away are looked at again then; it bounds the effect of a clock that is set.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(30);

    private readonly PriorityQueue<RunAddress, DateTime> queue = new();
    private readonly Dictionary<RunAddress, DateTime> next = [];
    private readonly SemaphoreSlim earlier = new(0);

    /// <summary>Sets, moves or (with null) removes the alarm of a run.</summary>
    public void Set(RunAddress run, DateTime? at)
    {
        lock (queue)
        {
            if (at is not { } time)
            {
                next.Remove(run);
                return;
            }

            if (next.TryGetValue(run, out DateTime known) && known == time)
            {
                return;
            }

            next[run] = time;
            bool first = !queue.TryPeek(out _, out DateTime head) || time < head;
            queue.Enqueue(run, time);
            if (first)
            {
                earlier.Release();
            }
        }
    }

    public void Clear()
    {
        lock (queue)
        {
            queue.Clear();
            next.Clear();
        }
    }

    /// <summary>Calls <paramref name="wake"/> for each run that is due, until stopped.</summary>
    public async Task RunAsync(Action<RunAddress> wake, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            TimeSpan sleep = WakeDue(wake);
            try
            {
                await earlier.WaitAsync(sleep, stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private TimeSpan WakeDue(Action<RunAddress> wake)
    {
        lock (queue)
        {
            while (queue.TryPeek(out RunAddress run, out DateTime at))
            {
                bool current = next.TryGetValue(run, out DateTime known) && known == at;
                TimeSpan left = at - clock.GetUtcNow().UtcDateTime;
                if (current && left > TimeSpan.Zero)
                {
                    return left < LongestSleep ? left + TimeSpan.FromMilliseconds(1) : LongestSleep;
                }

                queue.Dequeue();
                if (current)
                {
                    next.Remove(run);
                    wake(run);
                }
            }

            return LongestSleep;
        }
    }
}
