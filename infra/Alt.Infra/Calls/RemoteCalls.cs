using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Alt.Domain;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Alt.Infra.Calls;

/// <summary>
/// The only way to paid or remote services: within quotas and budgets that all processes share, each request asked once and its
/// reply kept (see docs/judges.md). One for a process.
/// </summary>
public sealed partial class RemoteCalls : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly CallQueue _queue;
    private readonly CallPatience _patience;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<(string Account, CallsConfig Calls), CallAttempts> _attempts = [];
    private readonly ConcurrentDictionary<(string Account, string Hash), Task<CallOutcome>> _underWay = [];

    private RemoteCalls(NpgsqlDataSource source, string connectionString, CallPatience patience, ILogger logger)
    {
        (_source, _patience, _logger) = (source, patience, logger);
        _queue = new CallQueue(new CallStore(connectionString), logger);
    }

    /// <summary>Creates what is missing in the database.</summary>
    public static async Task<RemoteCalls> OpenAsync(
        string connectionString, CallPatience? patience = null, ILoggerFactory? logs = null, CancellationToken token = default)
    {
        var source = NpgsqlDataSource.Create(connectionString);
        try
        {
            await CallStore.CreateTablesAsync(source, token);
            return new RemoteCalls(
                source, connectionString, patience ?? new(), (logs ?? NullLoggerFactory.Instance).CreateLogger<RemoteCalls>());
        }
        catch
        {
            await source.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks, waits as long as the limits require, and retries if that may help.</summary>
    /// <exception cref="InputException">The service does not accept the key.</exception>
    public async Task<CallOutcome> AskAsync(
        RemoteAccount account, CallScope scope, RemoteRequest request, ICallTransport transport, CancellationToken token = default)
    {
        var (key, start) = ((account.Key, request.Hash), Stopwatch.GetTimestamp());
        while (true)
        {
            var mine = new TaskCompletionSource<CallOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
            var first = _underWay.GetOrAdd(key, mine.Task);
            if (first != mine.Task)
            {
                // Another caller has the same request under way; if that ends without a reply, this call sends it again.
                await ((Task)first).WaitAsync(token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                token.ThrowIfCancellationRequested();
                if (first is { IsCompletedSuccessfully: true, Result: CallOutcome.Answered answered })
                {
                    CallTelemetry.Record(account, scope.Run, answered, 0, null, Stopwatch.GetElapsedTime(start));
                    return answered with { Cost = 0, Attempts = 0, Cached = true };
                }

                continue;
            }

            CallOutcome? outcome = null;
            try
            {
                return outcome = await new Call(this, account, scope, request, key.Hash, transport).RunAsync(token);
            }
            finally
            {
                _underWay.TryRemove(key, out _);
                if (outcome is null)
                {
                    mine.SetCanceled(CancellationToken.None);
                }
                else
                {
                    mine.SetResult(outcome);
                }
            }
        }
    }

    /// <summary>Deletes the replies to these requests; the next caller that asks gets its answer from the service.</summary>
    /// <returns>How many replies were deleted.</returns>
    public async Task<int> ForgetAsync(IReadOnlyCollection<string> hashes, CancellationToken token = default)
    {
        await using var command = _source.CreateCommand(CallTables.Forget);
        command.Parameters.Add(new() { Value = hashes.ToArray() });
        return await command.ExecuteNonQueryAsync(token);
    }

    /// <summary>Ends without waiting for calls that are under way: cancel these first.</summary>
    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync();
        await _source.DisposeAsync();
    }

    private CallAttempts AttemptsOf(RemoteAccount account) =>
        _attempts.GetOrAdd((account.Key, account.Calls), _ =>
            new CallAttempts(account, _patience, time => _queue.HoldBack(account.Key, time), _logger));

    /// <summary>One request on its way to an outcome.</summary>
    private sealed class Call(
        RemoteCalls calls, RemoteAccount account, CallScope scope, RemoteRequest request, string hash, ICallTransport transport)
    {
        private readonly CallAttempts _attempts = calls.AttemptsOf(account);
        private readonly long _start = Stopwatch.GetTimestamp();
        private int _sent;
        private StoredReply? _paid;

        public async Task<CallOutcome> RunAsync(CancellationToken token)
        {
            var end = await _attempts.RepeatAsync(AttemptAsync, token);
            var outcome = end.Outcome ?? new CallOutcome.Failed(end.Failure, $"{account.Endpoint.Host}: {end.Reason}", _sent);
            CallTelemetry.Record(account, scope.Run, outcome, _sent, _paid, Stopwatch.GetElapsedTime(_start));
            return outcome;
        }

        private async ValueTask<AttemptEnd> AttemptAsync(CancellationToken token)
        {
            while (true)
            {
                var ask = new CallAsk(
                    Guid.NewGuid(), account.Key, hash, request.Payer, account.Calls, scope,
                    account.Calls.CostOf(request.InputTokens, request.MaxOutputTokens), request.InputTokens + request.MaxOutputTokens);
                switch (await calls._queue.BookAsync(ask, token))
                {
                    case { Booking: Booking.Known { Reply: var reply } }:
                        return new(Of(reply, cached: reply.Payer != request.Payer));
                    case { Booking: Booking.OverBudget over }:
                        return new(new CallOutcome.OverBudget(over.Limit, over.Reason));
                    case { Booking: Booking.Granted, SendAt: var sendAt } when await InTimeAsync(ask, sendAt, token):
                        return await SendAsync(ask, token);
                    case null:
                        return LeftAlone(null);
                }
            }
        }

        /// <summary>Waits for the slot; if it was missed, takes another.</summary>
        private async Task<bool> InTimeAsync(CallAsk ask, long sendAt, CancellationToken token)
        {
            try
            {
                if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), sendAt) is var wait && wait > TimeSpan.Zero)
                {
                    await Task.Delay(wait, token);
                }
            }
            catch (OperationCanceledException)
            {
                _ = calls._queue.SettleAsync(new(ask, Reply: null, InDoubt: false));
                throw;
            }

            var limited = account.Calls.RequestsPerMinute > 0 || account.Calls.TokensPerMinute > 0;
            if (!limited || Stopwatch.GetElapsedTime(sendAt) <= SlotSchedule.Lateness)
            {
                return true;
            }

            await calls._queue.SettleAsync(new(ask, Reply: null, InDoubt: false));
            return false;
        }

        private async Task<AttemptEnd> SendAsync(CallAsk ask, CancellationToken token)
        {
            TransportReply reply;
            try
            {
                reply = await _attempts.SendAsync(
                    attempt =>
                    {
                        _sent++;
                        return transport.SendAsync(request.Body, hash, attempt);
                    },
                    token);
                token.ThrowIfCancellationRequested();
            }
            catch (BrokenCircuitException e)
            {
                return await NothingAsync(LeftAlone(e.RetryAfter), inDoubt: false);
            }
            catch (TimeoutRejectedException)
            {
                return await NothingAsync(
                    new(null, CallFailure.Timeout, $"no reply within {account.Calls.TimeoutSeconds:0.###} s"), inDoubt: true);
            }
            catch (HttpRequestException e)
            {
                var neverSent = e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
                    or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;
                return await NothingAsync(
                    new(
                        null, CallFailure.Connection,
                        neverSent ? $"no connection ({e.HttpRequestError})" : "the connection was lost before the reply"),
                    inDoubt: !neverSent);
            }
            catch
            {
                // The caller has cancelled; whether the service has answered is unknown.
                _ = calls._queue.SettleAsync(new(ask, Reply: null, InDoubt: true));
                throw;
            }

            switch (reply)
            {
                case { Status: >= 200 and < 300, Body: null }:
                    return await NothingAsync(Final(CallFailure.CutOff, "the reply broke off"), inDoubt: true);
                case { Status: >= 200 and < 300, Body: { } body }:
                    var (input, output) = (reply.InputTokens ?? request.InputTokens, reply.OutputTokens ?? request.MaxOutputTokens);
                    var stored = new StoredReply(
                        hash, request.Service, request.Model, request.Payer, account.Redact(body), input, output,
                        account.Calls.CostOf(input, output), _sent, DateTimeOffset.UtcNow);
                    await calls._queue.SettleAsync(new(ask, stored, InDoubt: false));
                    _paid = stored;
                    return new(Of(stored, cached: false));
                case { Status: 429 }:
                    return await NothingAsync(
                        new(
                            null, CallFailure.RateLimited, TooLong(reply.RetryAfter) ?? $"status 429{CodeOf(reply.Body)}",
                            reply.RetryAfter),
                        inDoubt: false);
                case { Status: >= 500 }:
                    return await NothingAsync(
                        new(
                            null, CallFailure.ServerError, TooLong(reply.RetryAfter) ?? $"status {reply.Status}{CodeOf(reply.Body)}",
                            reply.RetryAfter),
                        inDoubt: false);
                case { Status: 401 or 403 }:
                    await NothingAsync(default, inDoubt: false);
                    throw new InputException(account.Secret is { } secret
                        ? $"{account.Endpoint} does not accept the key from {secret.Source} (status {reply.Status}{CodeOf(reply.Body)}); "
                            + $"put one there that may use {account.Model}"
                            : $"{account.Endpoint} wants a key (status {reply.Status}{CodeOf(reply.Body)}); say where it is with "
                                + "apiKey: env:NAME or file:PATH");
                default:
                    var advice = reply.Status < 400 ? "; redirects are not followed, name the service's own address as endpoint" : "";
                    return await NothingAsync(
                        Final(CallFailure.Refused, $"status {reply.Status}{CodeOf(reply.Body)}{advice}"), inDoubt: false);
            }

            async Task<AttemptEnd> NothingAsync(AttemptEnd end, bool inDoubt)
            {
                await calls._queue.SettleAsync(new(ask, Reply: null, inDoubt));
                return end;
            }
        }

        private AttemptEnd Final(CallFailure failure, string reason) =>
            new(new CallOutcome.Failed(failure, $"{account.Endpoint.Host}: {reason}", _sent));

        private AttemptEnd LeftAlone(TimeSpan? time) =>
            new(
                null, CallFailure.BreakerOpen, "nearly all calls fail, it is left alone for a while",
                time > TimeSpan.Zero ? time : calls._patience.Break);

        private string? TooLong(TimeSpan? retryAfter) =>
            retryAfter > calls._patience.LongestRetryAfter ? $"asks to come again after {retryAfter}" : null;

        private static CallOutcome.Answered Of(StoredReply reply, bool cached) =>
            new(reply.Body, reply.InputTokens, reply.OutputTokens, cached ? 0 : reply.Cost, cached ? 0 : reply.Attempts, cached, reply.At);

        /// <summary>The service's own error code. Its whole message may repeat the request's texts.</summary>
        private string CodeOf(string? body)
        {
            try
            {
                using var json = JsonDocument.Parse(body ?? "");
                return json.RootElement is { ValueKind: JsonValueKind.Object } root
                    && root.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object
                    && new[]
                    {
                        "code", "status", "type"
                    }.Select(n => error.TryGetProperty(n, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : "")
                        .FirstOrDefault(Word().IsMatch) is { } code
                        ? $", {account.Redact(code)}"
                        : "";
            }
            catch (JsonException)
            {
                return "";
            }
        }
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_]{1,63}$")]
    private static partial Regex Word();
}
