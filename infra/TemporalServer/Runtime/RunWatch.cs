namespace TemporalServer.Runtime;

/// <summary>Lets callers wait for the next stored change of a run. A run costs nothing while no caller waits.</summary>
internal sealed class RunWatch
{
    private readonly Dictionary<string, Subscription> _waiting = [];

    /// <summary>Begins to wait. Call this before reading the run, so that no change is missed in between.</summary>
    public Subscription Subscribe(string runId)
    {
        lock (_waiting)
        {
            if (!_waiting.TryGetValue(runId, out var subscription))
            {
                _waiting[runId] = subscription = new Subscription(this, runId);
            }

            subscription.Users++;
            return subscription;
        }
    }

    public void Changed(string runId)
    {
        Subscription? subscription;
        lock (_waiting)
        {
            _waiting.Remove(runId, out subscription);
        }

        subscription?.Complete();
    }

    /// <summary>All callers that wait for the same change.</summary>
    public sealed class Subscription(RunWatch watch, string runId) : IDisposable
    {
        private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes with the change.</summary>
        public Task Change => _source.Task;

        internal int Users { get; set; }

        public void Dispose()
        {
            lock (watch._waiting)
            {
                if (--Users == 0 && watch._waiting.GetValueOrDefault(runId) == this)
                {
                    watch._waiting.Remove(runId);
                }
            }
        }

        internal void Complete() => _source.TrySetResult();
    }
}
