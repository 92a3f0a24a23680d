using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using Polly;
using Polly.Retry;

namespace Alt.Infra.Calls;

/// <summary>
/// All attempts of this process that wait to be booked or settled. One loop takes what gathered while the previous turn was written, and
/// handles it in one transaction: a single call waits for no other, many calls share a commit.
/// </summary>
internal sealed partial class CallQueue : IAsyncDisposable
{
    private const int AsksPerTurn = 256, SettlementsPerTurn = 1024;

    /// <summary>How long PostgreSQL may be unreachable, such as during a restart after a kill, before waiting callers fail.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait before checking for changes by other processes.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly ResiliencePropertyKey<long> BegunKey = new("begun");

    private readonly Lock _sync = new();
    private readonly Queue<(CallSettlement Settlement, TaskCompletionSource Written)> _settlements = [];
    private readonly Dictionary<string, Line> _lines = [];
    private readonly SemaphoreSlim _wake = new(0);
    private readonly CancellationTokenSource _ending = new();
    private readonly CallStore _store;
    private readonly ILogger _logger;
    private readonly ResiliencePipeline _patiently;
    private readonly Task _loop;

    public CallQueue(CallStore store, ILogger logger)
    {
        (_store, _logger) = (store, logger);
        _patiently = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = int.MaxValue,
            Delay = Pause,
            ShouldHandle = static a => ValueTask.FromResult(
                a.Outcome.Exception is NpgsqlException { IsTransient: true } && Stopwatch.GetElapsedTime(Begun(a.Context)) < Patience),
            OnRetry = a =>
            {
                LogAway(logger, a.Outcome.Exception!.Message);
                return default;
            },
        }).Build();
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Waits until the ask has a result: its slot, an existing reply, or a limit.</summary>
    /// <returns>
    /// When to send, by <see cref="Stopwatch"/>, and the booking; null if the account's calls were held back meanwhile.
    /// </returns>
    public async Task<Booked?> BookAsync(CallAsk ask, CancellationToken token)
    {
        var waiting = new Waiting(ask);
        await using var _ = token.Register(() => Withdraw(waiting));
        lock (_sync)
        {
            ObjectDisposedException.ThrowIf(_ending.IsCancellationRequested, this);
            token.ThrowIfCancellationRequested();
            waiting.Place = LineOf(ask.Account).Fresh.AddLast(waiting);
        }

        Wake();
        return await waiting.Done.Task;
    }

    /// <summary>Returns once the settlement is written.</summary>
    public async Task SettleAsync(CallSettlement settlement)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_sync)
        {
            ObjectDisposedException.ThrowIf(_ending.IsCancellationRequested, this);
            _settlements.Enqueue((settlement, written));
        }

        Wake();
        await written.Task;
    }

    /// <summary>
    /// Turns away the callers that wait for a slot of this account, and all that come within this time: they get existing replies only.
    /// </summary>
    public void HoldBack(string account, TimeSpan time)
    {
        lock (_sync)
        {
            var line = LineOf(account);
            line.HeldBackUntil = After(time);
            foreach (var waiting in line.Old)
            {
                waiting.Done.TrySetResult(null);
            }

            line.Old.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_sync)
        {
            _ending.Cancel();
        }

        Wake();
        await _loop;
        await _store.DisposeAsync();
        _ending.Dispose();
        _wake.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            var turn = Collect();
            if (turn.IsEmpty)
            {
                if (_ending.IsCancellationRequested)
                {
                    break;
                }

                await _wake.WaitAsync(turn.Pause);
                continue;
            }

            try
            {
                var (booked, read) = await WriteAsync(turn);
                Distribute(turn, booked, read);
            }
            catch (Exception e)
            {
                // No later turn will settle what this one should have settled.
                await _store.AbandonAsync();
                Fail(turn, e);
            }
        }

        lock (_sync)
        {
            foreach (var waiting in _lines.Values.SelectMany(l => l.Fresh.Concat(l.Old)))
            {
                waiting.Done.TrySetCanceled();
            }
        }
    }

    /// <summary>The next work, or how long there is none.</summary>
    private Turn Collect()
    {
        lock (_sync)
        {
            var (now, turn) = (Stopwatch.GetTimestamp(), new Turn());
            while (turn.Settlements.Count < SettlementsPerTurn && _settlements.TryDequeue(out var settled))
            {
                turn.Settlements.Add(settled);
                LineOf(settled.Settlement.Ask.Account).Room++;
            }

            foreach (var line in _ending.IsCancellationRequested ? [] : _lines.Values.AsEnumerable())
            {
                var room = line.RoomAt(now);
                var old = line.Old.Where(w => w.NotBefore <= now).Take(room).ToArray();
                turn.Asks.AddRange(old.Select(w => (w, true)));
                // A caller that has just come may find an existing reply, but overtakes no other caller.
                var mayBook = room > 0 && line.Old.Count == old.Length && line.HeldBackUntil <= now;
                turn.Asks.AddRange(line.Fresh.Take(AsksPerTurn).Select(w => (w, mayBook)));
                if (old.Length == 0 && line.Old.Count > 0)
                {
                    turn.Pause = Shorter(
                        turn.Pause,
                        Stopwatch.GetElapsedTime(now, line.ClosedUntil > now ? line.ClosedUntil : line.Old.Min(w => w.NotBefore)));
                }
            }

            return turn;
        }
    }

    private async Task<(Dictionary<Waiting, Booking> Booked, long Read)> WriteAsync(Turn turn)
    {
        var context = ResilienceContextPool.Shared.Get();
        context.Properties.Set(BegunKey, Stopwatch.GetTimestamp());
        try
        {
            return await _patiently.ExecuteAsync(async (_, t) => await WriteOnceAsync(t), context, turn);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<(Dictionary<Waiting, Booking> Booked, long Read)> WriteOnceAsync(Turn turn)
    {
        var (booked, read) = (new Dictionary<Waiting, Booking>(), 0L);
        await _store.TurnAsync(
            [.. turn.Settlements.Select(s => s.Settlement)],
            [.. turn.Asks.Select(a => a.Waiting.Ask)],
            books =>
            {
                read = Stopwatch.GetTimestamp();
                turn.Settlements.ForEach(s => books.Settle(s.Settlement));
                foreach (var (waiting, mayBook) in turn.Asks)
                {
                    booked[waiting] = books.Book(waiting.Ask, mayBook);
                }
            },
            CancellationToken.None);
        return (booked, read);
    }

    private static long Begun(ResilienceContext context) => context.Properties.GetValue(BegunKey, 0);

    private void Distribute(Turn turn, Dictionary<Waiting, Booking> booked, long read)
    {
        foreach (var (_, written) in turn.Settlements)
        {
            written.SetResult();
        }

        var unwanted = new List<CallAsk>();
        lock (_sync)
        {
            foreach (var (waiting, _) in turn.Asks)
            {
                var line = LineOf(waiting.Ask.Account);
                switch (booked[waiting])
                {
                    case Booking.NotYet or Booking.NoSlot or Booking.Full when line.HeldBackUntil > Stopwatch.GetTimestamp():
                        waiting.Place.List?.Remove(waiting.Place);
                        waiting.Done.TrySetResult(null);
                        break;
                    case Booking.NoSlot { Wait: var wait }:
                        line.Close(read + Ticks(wait), withRoom: false);
                        line.Keep(waiting);
                        break;
                    case Booking.Full:
                        line.Close(After(LookAgain), withRoom: true);
                        line.Keep(waiting);
                        break;
                    case Booking.NotYet:
                        line.Keep(waiting);
                        break;
                    case Booking.Elsewhere:
                        waiting.NotBefore = After(LookAgain);
                        line.Keep(waiting);
                        break;
                    case var booking:
                        waiting.Place.List?.Remove(waiting.Place);
                        var sendAt = booking is Booking.Granted granted ? read + Ticks(granted.Wait) : 0;
                        if (!waiting.Done.TrySetResult(new Booked(booking, sendAt)) && booking is Booking.Granted)
                        {
                            unwanted.Add(waiting.Ask);
                        }

                        break;
                }
            }

            foreach (var ask in unwanted)
            {
                _settlements.Enqueue((new CallSettlement(ask, Reply: null, InDoubt: false), new()));
            }
        }
    }

    private void Fail(Turn turn, Exception e)
    {
        foreach (var (_, written) in turn.Settlements)
        {
            written.SetException(e);
        }

        lock (_sync)
        {
            foreach (var (waiting, _) in turn.Asks)
            {
                waiting.Place.List?.Remove(waiting.Place);
                waiting.Done.TrySetException(e);
            }
        }
    }

    private void Withdraw(Waiting waiting)
    {
        lock (_sync)
        {
            waiting.Place?.List?.Remove(waiting.Place);
            waiting.Done.TrySetCanceled();
        }
    }

    private Line LineOf(string account)
    {
        if (!_lines.TryGetValue(account, out var line))
        {
            _lines.Add(account, line = new Line());
        }

        return line;
    }

    private void Wake()
    {
        lock (_sync)
        {
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) =>
        a == Timeout.InfiniteTimeSpan || b < a ? (b > TimeSpan.Zero ? b : TimeSpan.Zero) : a;

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private static long After(TimeSpan time) => Stopwatch.GetTimestamp() + Ticks(time);

    [LoggerMessage(LogLevel.Warning, "PostgreSQL is unreachable, calls wait: {Message}")]
    private static partial void LogAway(ILogger logger, string message);

    /// <param name="SendAt">When the slot begins, by <see cref="Stopwatch"/>.</param>
    internal sealed record Booked(Booking Booking, long SendAt);

    private sealed class Waiting(CallAsk ask)
    {
        public CallAsk Ask { get; } = ask;

        public TaskCompletionSource<Booked?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkedListNode<Waiting> Place { get; set; } = null!;

        public long NotBefore { get; set; }
    }

    /// <summary>The callers that wait for an account, in the order of arrival.</summary>
    private sealed class Line
    {
        /// <summary>Not asked for yet.</summary>
        public LinkedList<Waiting> Fresh { get; } = [];

        public LinkedList<Waiting> Old { get; } = [];

        /// <summary>Until then no caller gets a slot, except as calls end.</summary>
        public long ClosedUntil { get; private set; }

        /// <summary>How many calls have ended since the account was found full.</summary>
        public int Room { get; set; }

        /// <summary>Until then the account's calls are turned away.</summary>
        public long HeldBackUntil { get; set; }

        private bool OpensWithRoom { get; set; }

        /// <summary>How many slots may be asked for now.</summary>
        public int RoomAt(long now) => ClosedUntil <= now ? AsksPerTurn : OpensWithRoom ? Math.Min(Room, AsksPerTurn) : 0;

        public void Close(long until, bool withRoom) => (ClosedUntil, OpensWithRoom, Room) = (until, withRoom, 0);

        public void Keep(Waiting waiting)
        {
            // Callers that were turned away or have cancelled are in no list.
            if (waiting.Place.List == Fresh)
            {
                Fresh.Remove(waiting.Place);
                Old.AddLast(waiting.Place);
            }
        }
    }

    private sealed class Turn
    {
        public List<(CallSettlement Settlement, TaskCompletionSource Written)> Settlements { get; } = [];

        public List<(Waiting Waiting, bool MayBook)> Asks { get; } = [];

        public TimeSpan Pause { get; set; } = Timeout.InfiniteTimeSpan;

        public bool IsEmpty => Settlements.Count + Asks.Count == 0;
    }
}
