using System.Collections.Concurrent;
using System.Diagnostics;

namespace Alt.Host.Rehearsal;

/// <summary>What a rehearsal's judge was asked.</summary>
/// <param name="Contents">Different requests.</param>
/// <param name="Billed">Replies that were made; one that was given again from memory is not.</param>
/// <param name="BilledTwice">Requests that were billed more than once.</param>
/// <param name="LargestMinute">Most requests that came within 60 s.</param>
/// <param name="MostAtOnce">Most requests that waited for their reply at one time.</param>
internal sealed record RehearsalCounts(
    int Requests, int Contents, int Billed, int BilledTwice, long InputTokens, long OutputTokens, int LargestMinute, int MostAtOnce, IReadOnlyDictionary<Fault, int> Faults);

/// <summary>One request, as often as it came.</summary>
internal sealed class RehearsalContent
{
    public int Requests { get; set; }

    public int Billed { get; set; }

    public string? IdempotencyKey { get; set; }

    public RehearsalReply? Reply { get; set; }
}

/// <summary>Counts, and remembers replies by their idempotency keys.</summary>
internal sealed class RehearsalBooks
{
    private readonly ConcurrentDictionary<string, RehearsalContent> contents = [];
    private readonly Lock sync = new();
    private readonly List<long> arrivals = [];
    private readonly SortedDictionary<Fault, int> faults = [];
    private long inputTokens, outputTokens;
    private int waiting, mostAtOnce;

    public void Arrive()
    {
        lock (sync)
        {
            arrivals.Add(Stopwatch.GetTimestamp());
            mostAtOnce = Math.Max(mostAtOnce, ++waiting);
        }
    }

    public void Leave()
    {
        lock (sync)
        {
            waiting--;
        }
    }

    /// <returns>How often this content has come, with this time.</returns>
    public (RehearsalContent Content, int Attempt) Count(string content)
    {
        var counted = contents.GetOrAdd(content, _ => new());
        lock (counted)
        {
            return (counted, ++counted.Requests);
        }
    }

    public void Count(Fault fault)
    {
        lock (sync)
        {
            faults[fault] = faults.GetValueOrDefault(fault) + 1;
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
                Interlocked.Add(ref inputTokens, made.InputTokens);
                Interlocked.Add(ref outputTokens, made.OutputTokens);
            }

            return made;
        }
    }

    public RehearsalCounts Counts()
    {
        lock (sync)
        {
            return new RehearsalCounts(
                arrivals.Count, contents.Count, contents.Values.Sum(c => c.Billed), contents.Values.Count(c => c.Billed > 1), Interlocked.Read(ref inputTokens), Interlocked.Read(ref outputTokens),
                LargestWindow(arrivals, 60 * Stopwatch.Frequency), mostAtOnce, new Dictionary<Fault, int>(faults));
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
