using TemporalServer.Engine;

namespace TemporalServer.Timers;

/// <summary>
/// Wakes runs when their next timer is due. The times are stored with the runs; this is only the queue that waits for the
/// earliest, and an entry that is out of date wakes a run that then finds nothing to do.
/// </summary>
internal sealed class Alarms(TimeProvider clock)
{
    // Timers further away are checked again after this time, which bounds the effect of a changed system clock.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(30);

    private readonly PriorityQueue<RunAddress, DateTime> _queue = new();
    private readonly Dictionary<RunAddress, DateTime> _next = [];
    private readonly SemaphoreSlim _earlier = new(0);

    /// <summary>Sets, moves or (with null) removes the alarm of a run.</summary>
    public void Set(RunAddress run, DateTime? at)
    {
        lock (_queue)
        {
            if (at is not { } time)
            {
                _next.Remove(run);
                return;
            }

            if (_next.TryGetValue(run, out var known) && known == time)
            {
                return;
            }

            _next[run] = time;
            var first = !_queue.TryPeek(out _, out var head) || time < head;
            _queue.Enqueue(run, time);
            if (first)
            {
                _earlier.Release();
            }
        }
    }

    public void Clear()
    {
        lock (_queue)
        {
            _queue.Clear();
            _next.Clear();
        }
    }

    /// <summary>Calls <paramref name="wake"/> for each run that is due, until stopped.</summary>
    public async Task RunAsync(Action<RunAddress> wake, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var sleep = WakeDue(wake);
            try
            {
                await _earlier.WaitAsync(sleep, stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private TimeSpan WakeDue(Action<RunAddress> wake)
    {
        lock (_queue)
        {
            while (_queue.TryPeek(out var run, out var at))
            {
                var current = _next.TryGetValue(run, out var known) && known == at;
                var left = at - clock.GetUtcNow().UtcDateTime;
                if (current && left > TimeSpan.Zero)
                {
                    return left < LongestSleep ? left + TimeSpan.FromMilliseconds(1) : LongestSleep;
                }

                _queue.Dequeue();
                if (current)
                {
                    _next.Remove(run);
                    wake(run);
                }
            }

            return LongestSleep;
        }
    }
}
