namespace TemporalServer.Queues;

/// <summary>One queue: offers that wait for a poller, or pollers that wait for an offer.</summary>
internal sealed class TaskQueue(TimeProvider clock)
{
    private static readonly TimeSpan PollerListed = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly LinkedList<(Offer Offer, DateTimeOffset Since)> _offers = new();
    private readonly HashSet<Offer> _known = [];
    private readonly LinkedList<Waiter> _waiters = new();
    private readonly Dictionary<string, DateTimeOffset> _lastPolls = [];
    private DateTimeOffset _lastPoll = DateTimeOffset.MinValue;

    /// <summary>How many offers wait, and how long the first one has waited.</summary>
    public (int Count, TimeSpan Age) Backlog()
    {
        lock (_gate)
        {
            return (_offers.Count, _offers.First is { } first ? clock.GetUtcNow() - first.Value.Since : TimeSpan.Zero);
        }
    }

    public void Add(Offer offer)
    {
        lock (_gate)
        {
            while (_waiters.First is { } first)
            {
                _waiters.RemoveFirst();
                if (first.Value.Result.TrySetResult(offer))
                {
                    return;
                }
            }

            if (_known.Add(offer))
            {
                _offers.AddLast((offer, clock.GetUtcNow()));
            }
        }
    }

    /// <summary>Takes the next offer, or null when <paramref name="deadline"/> passes or the poll is ended.</summary>
    public async Task<Offer?> PollAsync(Poller poller, CancellationToken deadline)
    {
        LinkedListNode<Waiter> node;
        lock (_gate)
        {
            _lastPoll = clock.GetUtcNow();
            _lastPolls[poller.Identity] = _lastPoll;
            if (_offers.First is { } first && !deadline.IsCancellationRequested)
            {
                _offers.RemoveFirst();
                _known.Remove(first.Value.Offer);
                return first.Value.Offer;
            }

            node = _waiters.AddLast(new Waiter(poller));
        }

        await using (deadline.Register(() => node.Value.Result.TrySetResult(null)))
        {
            var offer = await node.Value.Result.Task;
            lock (_gate)
            {
                _lastPoll = clock.GetUtcNow();
                if (node.List is not null)
                {
                    _waiters.Remove(node);
                }
            }

            return offer;
        }
    }

    public bool HasPollerSince(DateTimeOffset time)
    {
        lock (_gate)
        {
            return _waiters.Count > 0 || _lastPoll >= time;
        }
    }

    /// <summary>The workers that polled within the last five minutes, and when.</summary>
    public IReadOnlyList<(string Identity, DateTimeOffset LastPoll)> Pollers()
    {
        lock (_gate)
        {
            var oldest = clock.GetUtcNow() - PollerListed;
            foreach (var old in _lastPolls.Where(p => p.Value < oldest).Select(p => p.Key).ToArray())
            {
                _lastPolls.Remove(old);
            }

            return [.. _lastPolls.Select(p => (p.Key, p.Value))];
        }
    }

    /// <param name="forget">The queue counts as unpolled from now on.</param>
    public void EndPolls(Predicate<Poller> which, bool forget)
    {
        lock (_gate)
        {
            for (var node = _waiters.First; node is not null;)
            {
                var next = node.Next;
                if (which(node.Value.Poller))
                {
                    _waiters.Remove(node);
                    node.Value.Result.TrySetResult(null);
                }

                node = next;
            }

            if (forget)
            {
                _lastPoll = DateTimeOffset.MinValue;
            }
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _offers.Clear();
            _known.Clear();
        }
    }

    private sealed record Waiter(Poller Poller)
    {
        public TaskCompletionSource<Offer?> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
