using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using Polly;
using Polly.Retry;

namespace Alt.Infra.Calls;

/// <summary>
/// All attempts of this process that wait to be booked or settled. One loop collects what arrived while the previous batch was written, and
/// writes it in one transaction: a single call waits for no other, many calls share a commit.
/// </summary>
/// <remarks>
/// The way of a caller:
/// <code>
/// BookAsync --> New --------------+          +--> a slot, an existing reply or a limit: the call continues
///                                 +--> batch +
///            +> WaitingForSlot ---+          +--> no slot yet --+
///            |                                                  |
///            +--------------------------------------------------+
/// </code>
/// A new caller's first batch looks for an existing reply; it asks for a slot only if no earlier caller of the account waits for one.
/// </remarks>
internal sealed partial class CallQueue : IAsyncDisposable
{
    private const int SettlementsPerBatch = 1024;

    /// <summary>How long PostgreSQL may be unreachable, such as during a restart after a kill, before waiting callers fail.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait before checking for changes by other processes.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly ResiliencePropertyKey<long> BegunKey = new("begun");

    private readonly Lock _sync = new();
    private readonly Queue<(CallSettlement Settlement, TaskCompletionSource Written)> _settlements = [];
    private readonly Dictionary<string, AccountCallers> _accounts = [];
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
                LogUnreachable(logger, a.Outcome.Exception!.Message);
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
        var caller = new Caller(ask);
        await using var _ = token.Register(() => Withdraw(caller));
        lock (_sync)
        {
            ObjectDisposedException.ThrowIf(_ending.IsCancellationRequested, this);
            token.ThrowIfCancellationRequested();
            caller.Place = CallersOf(ask.Account).New.AddLast(caller);
        }

        Wake();
        return await caller.Done.Task;
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
            var callers = CallersOf(account);
            callers.HeldBackUntil = After(time);
            foreach (var caller in callers.WaitingForSlot)
            {
                caller.Done.TrySetResult(null);
            }

            callers.WaitingForSlot.Clear();
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
            var batch = Collect();
            if (batch.IsEmpty)
            {
                if (_ending.IsCancellationRequested)
                {
                    break;
                }

                await _wake.WaitAsync(batch.Pause);
                continue;
            }

            try
            {
                var (booked, read) = await WriteAsync(batch);
                Distribute(batch, booked, read);
            }
            catch (Exception e)
            {
                // No later batch will settle what this one should have settled.
                await _store.AbandonAsync();
                Fail(batch, e);
            }
        }

        lock (_sync)
        {
            foreach (var caller in _accounts.Values.SelectMany(c => c.New.Concat(c.WaitingForSlot)))
            {
                caller.Done.TrySetCanceled();
            }
        }
    }

    /// <summary>The next work, or how long there is none.</summary>
    private Batch Collect()
    {
        lock (_sync)
        {
            var (now, batch) = (Stopwatch.GetTimestamp(), new Batch());
            while (batch.Settlements.Count < SettlementsPerBatch && _settlements.TryDequeue(out var settled))
            {
                batch.Settlements.Add(settled);
                CallersOf(settled.Settlement.Ask.Account).EndedCalls++;
            }

            foreach (var callers in _ending.IsCancellationRequested ? [] : _accounts.Values.AsEnumerable())
            {
                var slots = callers.SlotsToAskFor(now);
                var retried = callers.WaitingForSlot.Where(w => w.NotBefore <= now).Take(slots).ToArray();
                batch.Asks.AddRange(retried.Select(w => (w, true)));
                // A caller that has just come may find an existing reply, but overtakes no other caller.
                var mayBook = slots > 0 && callers.WaitingForSlot.Count == retried.Length && callers.HeldBackUntil <= now;
                batch.Asks.AddRange(callers.New.Take(AccountCallers.AsksPerBatch).Select(w => (w, mayBook)));
                if (retried.Length == 0 && callers.WaitingForSlot.Count > 0)
                {
                    var next = callers.ClosedUntil > now ? callers.ClosedUntil : callers.WaitingForSlot.Min(w => w.NotBefore);
                    batch.Pause = Shorter(batch.Pause, Stopwatch.GetElapsedTime(now, next));
                }
            }

            return batch;
        }
    }

    private async Task<(Dictionary<Caller, Booking> Booked, long Read)> WriteAsync(Batch batch)
    {
        var context = ResilienceContextPool.Shared.Get();
        context.Properties.Set(BegunKey, Stopwatch.GetTimestamp());
        try
        {
            return await _patiently.ExecuteAsync(async (_, t) => await WriteOnceAsync(t), context, batch);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<(Dictionary<Caller, Booking> Booked, long Read)> WriteOnceAsync(Batch batch)
    {
        var (booked, read) = (new Dictionary<Caller, Booking>(), 0L);
        await _store.WriteAsync(
            [.. batch.Settlements.Select(s => s.Settlement)],
            [.. batch.Asks.Select(a => a.Caller.Ask)],
            books =>
            {
                read = Stopwatch.GetTimestamp();
                batch.Settlements.ForEach(s => books.Settle(s.Settlement));
                foreach (var (caller, mayBook) in batch.Asks)
                {
                    booked[caller] = books.Book(caller.Ask, mayBook);
                }
            },
            CancellationToken.None);
        return (booked, read);
    }

    private static long Begun(ResilienceContext context) => context.Properties.GetValue(BegunKey, 0);

    private void Distribute(Batch batch, Dictionary<Caller, Booking> booked, long read)
    {
        foreach (var (_, written) in batch.Settlements)
        {
            written.SetResult();
        }

        var unwanted = new List<CallAsk>();
        lock (_sync)
        {
            foreach (var (caller, _) in batch.Asks)
            {
                var callers = CallersOf(caller.Ask.Account);
                switch (booked[caller])
                {
                    case Booking.NotYet or Booking.NoSlot or Booking.Full when callers.HeldBackUntil > Stopwatch.GetTimestamp():
                        caller.Leave();
                        caller.Done.TrySetResult(null);
                        break;
                    case Booking.NoSlot { Wait: var wait }:
                        callers.Close(read + Ticks(wait), opensAsCallsEnd: false);
                        callers.KeepWaiting(caller);
                        break;
                    case Booking.Full:
                        callers.Close(After(LookAgain), opensAsCallsEnd: true);
                        callers.KeepWaiting(caller);
                        break;
                    case Booking.NotYet:
                        callers.KeepWaiting(caller);
                        break;
                    case Booking.Elsewhere:
                        caller.NotBefore = After(LookAgain);
                        callers.KeepWaiting(caller);
                        break;
                    case var booking:
                        caller.Leave();
                        var sendAt = booking is Booking.Granted granted ? read + Ticks(granted.Wait) : 0;
                        if (!caller.Done.TrySetResult(new Booked(booking, sendAt)) && booking is Booking.Granted)
                        {
                            unwanted.Add(caller.Ask);
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

    private void Fail(Batch batch, Exception e)
    {
        foreach (var (_, written) in batch.Settlements)
        {
            written.SetException(e);
        }

        lock (_sync)
        {
            foreach (var (caller, _) in batch.Asks)
            {
                caller.Leave();
                caller.Done.TrySetException(e);
            }
        }
    }

    private void Withdraw(Caller caller)
    {
        lock (_sync)
        {
            caller.Leave();
            caller.Done.TrySetCanceled();
        }
    }

    private AccountCallers CallersOf(string account)
    {
        if (!_accounts.TryGetValue(account, out var callers))
        {
            _accounts.Add(account, callers = new AccountCallers());
        }

        return callers;
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
    private static partial void LogUnreachable(ILogger logger, string message);

    private sealed class Batch
    {
        public List<(CallSettlement Settlement, TaskCompletionSource Written)> Settlements { get; } = [];

        public List<(Caller Caller, bool MayBook)> Asks { get; } = [];

        public TimeSpan Pause { get; set; } = Timeout.InfiniteTimeSpan;

        public bool IsEmpty => Settlements.Count + Asks.Count == 0;
    }
}
