using System.Collections.Concurrent;
using System.Diagnostics;

namespace Alt.Rehearsal;

/// <summary>What a rehearsal's judge was asked.</summary>
/// <param name="Contents">Different requests.</param>
/// <param name="Billed">Replies that were made; one repeated from memory does not count.</param>
/// <param name="BilledTwice">Requests that were billed more than once.</param>
/// <param name="LargestMinute">Most requests that came within 60 s.</param>
/// <param name="MostAtOnce">Most requests that waited for their reply at one time.</param>
public sealed record RehearsalCounts(
    int Requests, int Contents, int Billed, int BilledTwice, long InputTokens, long OutputTokens, int LargestMinute, int MostAtOnce,
    IReadOnlyDictionary<Fault, int> Faults);

/// <summary>One request, as often as it came.</summary>
public sealed class RehearsalContent
{
    public int Requests { get; set; }

    public int Billed { get; set; }

    public string? IdempotencyKey { get; set; }

    public RehearsalReply? Reply { get; set; }
}

/// <summary>Counts, and remembers replies by their idempotency keys.</summary>
public sealed class RehearsalBooks
{
    private readonly ConcurrentDictionary<string, RehearsalContent> _contents = [];
    private readonly Lock _sync = new();
    private readonly List<long> _arrivals = [];
    private readonly SortedDictionary<Fault, int> _faults = [];
    private long _inputTokens, _outputTokens;
    private int _waiting, _mostAtOnce;

    public void Arrive()
    {
        lock (_sync)
        {
            _arrivals.Add(Stopwatch.GetTimestamp());
            _mostAtOnce = Math.Max(_mostAtOnce, ++_waiting);
        }
    }

    public void Leave()
    {
        lock (_sync)
        {
            _waiting--;
        }
    }

    /// <returns>How often this content has come, with this time.</returns>
    public (RehearsalContent Content, int Attempt) Count(string content)
    {
        var counted = _contents.GetOrAdd(content, _ => new());
        lock (counted)
        {
            return (counted, ++counted.Requests);
        }
    }

    public void Count(Fault fault)
    {
        lock (_sync)
        {
            _faults[fault] = _faults.GetValueOrDefault(fault) + 1;
        }
    }

    /// <summary>Makes and bills a reply; with the key of one that was billed, gives that one again.</summary>
    public RehearsalReply Answer(RehearsalContent content, string? idempotencyKey, Func<RehearsalReply> reply)
    {
        lock (content)
        {
            if (content.Reply is { } known && idempotencyKey is not null && content.IdempotencyKey == idempotencyKey)
            {
                return known;
            }

            var made = reply();
            if (made.Status == 200)
            {
                (content.Billed, content.IdempotencyKey, content.Reply) = (content.Billed + 1, idempotencyKey, made);
                Interlocked.Add(ref _inputTokens, made.InputTokens);
                Interlocked.Add(ref _outputTokens, made.OutputTokens);
            }

            return made;
        }
    }

    public RehearsalCounts Counts()
    {
        lock (_sync)
        {
            return new RehearsalCounts(
                _arrivals.Count, _contents.Count, _contents.Values.Sum(c => c.Billed), _contents.Values.Count(c => c.Billed > 1),
                Interlocked.Read(ref _inputTokens), Interlocked.Read(ref _outputTokens),
                LargestWindow(_arrivals, 60 * Stopwatch.Frequency), _mostAtOnce, new Dictionary<Fault, int>(_faults));
        }
    }

    /// <summary>Most of these moments, in their order, within any window that is this long.</summary>
    internal static int LargestWindow(List<long> moments, long length)
    {
        var (largest, first) = (0, 0);
        for (var last = 0; last < moments.Count; last++)
        {
            while (moments[last] - moments[first] >= length)
            {
                first++;
            }

            largest = Math.Max(largest, last - first + 1);
        }

        return largest;
    }
}
