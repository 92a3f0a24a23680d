namespace TemporalServer.Queues;

/// <summary>One queue: offers that wait for a poller, or pollers that wait for an offer.</summary>
internal sealed class TaskQueue(TimeProvider clock)
{
    private static readonly TimeSpan PollerListed = TimeSpan.FromMinutes(5);

    private readonly Lock gate = new();
    private readonly LinkedList<(Offer Offer, DateTimeOffset Since)> offers = new();
    private readonly HashSet<Offer> known = [];
    private readonly LinkedList<Waiter> waiters = new();
    private readonly Dictionary<string, DateTimeOffset> lastPolls = [];
    private DateTimeOffset lastPoll = DateTimeOffset.MinValue;

    /// <summary>How many offers wait, and how long the first of them has.</summary>
    public (int Count, TimeSpan Age) Backlog()
    {
        lock (gate)
        {
            return (offers.Count, offers.First is { } first ? clock.GetUtcNow() - first.Value.Since : TimeSpan.Zero);
        }
    }

    public void Add(Offer offer)
    {
        lock (gate)
        {
            while (waiters.First is { } first)
            {
                waiters.RemoveFirst();
                if (first.Value.Result.TrySetResult(offer))
                {
                    return;
                }
            }

            if (known.Add(offer))
            {
                offers.AddLast((offer, clock.GetUtcNow()));
            }
        }
    }

    /// <summary>Takes the next offer, or null when <paramref name="deadline"/> passes or the poll is ended.</summary>
    public async Task<Offer?> PollAsync(Poller poller, CancellationToken deadline)
    {
        LinkedListNode<Waiter> node;
        lock (gate)
        {
            lastPoll = clock.GetUtcNow();
            lastPolls[poller.Identity] = lastPoll;
            if (offers.First is { } first && !deadline.IsCancellationRequested)
            {
                offers.RemoveFirst();
                known.Remove(first.Value.Offer);
                return first.Value.Offer;
            }

            node = waiters.AddLast(new Waiter(poller));
        }

        await using (deadline.Register(() => node.Value.Result.TrySetResult(null)))
        {
            Offer? offer = await node.Value.Result.Task;
            lock (gate)
            {
                lastPoll = clock.GetUtcNow();
                if (node.List is not null)
                {
                    waiters.Remove(node);
                }
            }

            return offer;
        }
    }

    public bool HasPollerSince(DateTimeOffset time)
    {
        lock (gate)
        {
            return waiters.Count > 0 || lastPoll >= time;
        }
    }

    /// <summary>Who polled within the last five minutes, and when.</summary>
    public IReadOnlyList<(string Identity, DateTimeOffset LastPoll)> Pollers()
    {
        lock (gate)
        {
            DateTimeOffset oldest = clock.GetUtcNow() - PollerListed;
            foreach (string old in lastPolls.Where(p => p.Value < oldest).Select(p => p.Key).ToArray())
            {
                lastPolls.Remove(old);
            }

            return [.. lastPolls.Select(p => (p.Key, p.Value))];
        }
    }

    /// <param name="forget">The queue counts as unpolled from now on.</param>
    public void EndPolls(Predicate<Poller> which, bool forget)
    {
        lock (gate)
        {
            for (LinkedListNode<Waiter>? node = waiters.First; node is not null;)
            {
                LinkedListNode<Waiter>? next = node.Next;
                if (which(node.Value.Poller))
                {
                    waiters.Remove(node);
                    node.Value.Result.TrySetResult(null);
                }

                node = next;
            }

            if (forget)
            {
                lastPoll = DateTimeOffset.MinValue;
            }
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            offers.Clear();
            known.Clear();
        }
    }

    private sealed record Waiter(Poller Poller)
    {
        public TaskCompletionSource<Offer?> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
