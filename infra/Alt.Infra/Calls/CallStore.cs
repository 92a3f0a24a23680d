using Npgsql;
using NpgsqlTypes;

namespace Alt.Infra.Calls;

/// <summary>
/// The books in PostgreSQL, changed over one session of this process. The session also identifies the process: its calls stay under way as
/// long as PostgreSQL sees the session, which ends at once when the process is killed.
/// </summary>
internal sealed class CallStore(string connectionString) : IAsyncDisposable
{
    // Every statement finds its rows by their keys, whatever the planner's statistics say of tables that grow within seconds.
    private const string Plans = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off";

    private readonly string _sessionString = new NpgsqlConnectionStringBuilder(connectionString)
    {
        Pooling = false,
        KeepAlive = 10,
        Options = Plans
    }.ConnectionString;
    private NpgsqlConnection? _session;
    private (int Pid, DateTime Started)? _self;

    public static async Task CreateTablesAsync(NpgsqlDataSource source, CancellationToken token)
    {
        await using var connection = await source.OpenConnectionAsync(token);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new("begin"), new($"select pg_advisory_xact_lock({CallTables.Lock})") },
        };
        foreach (var statement in CallTables.Create.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            batch.BatchCommands.Add(new(statement));
        }

        batch.BatchCommands.Add(new("commit"));
        await batch.ExecuteNonQueryAsync(token);
    }

    /// <summary>
    /// Reads and locks the rows of settlements and asks, calls <paramref name="decide"/>, and writes the result, all in one transaction
    /// and two round trips.
    /// </summary>
    /// <param name="decide">Called once the books are read.</param>
    /// <exception cref="NpgsqlException">The session is lost, and whether the batch was written is unknown: write it again.</exception>
    public async Task WriteAsync(
        IReadOnlyList<CallSettlement> settlements, IReadOnlyList<CallAsk> asks, Action<CallBooks> decide, CancellationToken token)
    {
        var connection = await SessionAsync(token);
        try
        {
            var (books, dead) = await ReadAsync(
                connection, [.. settlements.Select(s => s.Ask), .. asks], [.. asks.Select(a => a.Hash)], token);
            decide(books);
            await WriteAsync(connection, books, token);
            if (dead.Count > 0)
            {
                await BuryAsync(connection, dead, token);
            }
        }
        catch
        {
            // In the middle of a transaction, or broken.
            await EndSessionAsync();
            throw;
        }
    }

    /// <summary>Ends the session and gives up its identity: its calls under way are in doubt from now on, but can be settled.</summary>
    public async Task AbandonAsync()
    {
        await EndSessionAsync();
        _self = null;
    }

    public async ValueTask DisposeAsync() => await EndSessionAsync();

    private async Task EndSessionAsync()
    {
        if (_session is { } ended)
        {
            _session = null;
            await ended.DisposeAsync();
        }
    }

    private async Task<NpgsqlConnection> SessionAsync(CancellationToken token)
    {
        if (_session is { } open)
        {
            return open;
        }

        var connection = new NpgsqlConnection(_sessionString);
        try
        {
            await connection.OpenAsync(token);
            var before = _self;
            (int Pid, DateTime Started) now;
            await using (var ask = new NpgsqlCommand(CallTables.Self, connection))
            await using (var reader = await ask.ExecuteReaderAsync(token))
            {
                await reader.ReadAsync(token);
                now = (reader.GetInt32(0), reader.GetDateTime(1));
            }

            if (before is { } old)
            {
                await using var adopt = new NpgsqlBatch(connection)
                {
                    BatchCommands =
                    {
                        Command(CallTables.AdoptWorkers, old.Pid, old.Started, now.Pid, now.Started),
                        Command(CallTables.AdoptLeases, old.Pid, old.Started, now.Pid, now.Started),
                    },
                };
                await adopt.ExecuteNonQueryAsync(token);
            }

            _self = now;
            return _session = connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task<(CallBooks Books, IReadOnlyList<string> Dead)> ReadAsync(
        NpgsqlConnection connection, IReadOnlyList<CallAsk> all, string[] asked, CancellationToken token)
    {
        var accounts = all.Select(a => a.Account).Distinct().Order(StringComparer.Ordinal).ToArray();
        var scopes = all.Select(a => (a.Scope.Run, a.Scope.Iteration)).Distinct().Order().ToArray();
        string[] runs = [.. scopes.Select(s => s.Run).Distinct()];
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("begin"),
                Command(CallTables.AddAccounts, (object)accounts),
                Command(CallTables.AddSpends, scopes.Select(s => s.Run).ToArray(), scopes.Select(s => s.Iteration).ToArray()),
                Command(CallTables.LockAccounts, (object)accounts),
                Command(CallTables.LockSpends, (object)runs),
                new(CallTables.Now),
                Command(CallTables.Workers, (object)accounts),
                Command(CallTables.Leases, all.Select(a => a.Account).ToArray(), all.Select(a => a.Hash).ToArray()),
                Command(CallTables.Replies, (object)asked),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(token);
        var slots = await RowsAsync(reader, r => (Account: r.GetString(0), Request: r.GetDateTime(1), Token: r.GetDateTime(2)), token);
        var spends = await RowsAsync(reader, r => (Run: r.GetString(0), Spend: SpendOf(r)), token);
        var books = new CallBooks((await RowsAsync(reader, r => r.GetDateTime(0), token))[0]);
        var workers = await RowsAsync(
            reader, r =>
                (Account: r.GetString(0), Pid: r.GetInt32(1), Started: r.GetDateTime(2), Sending: r.GetInt32(3), Lives: r.GetBoolean(4)),
            token);
        foreach (var lease in await RowsAsync(
            reader, r => ((r.GetString(0), r.GetString(1)), new CallLease(
                r.GetGuid(2), r.GetString(3), r.GetInt32(4), new(r.GetDecimal(5), r.GetInt64(6)), r.GetBoolean(7))),
            token))
        {
            books.Leases.Add(lease.Item1, lease.Item2);
        }

        foreach (var reply in await RowsAsync(reader, ReplyOf, token))
        {
            books.Replies.Add(reply.Hash, reply);
        }

        foreach (var (run, spend) in spends)
        {
            books.Spends.Add((run, spend.Iteration), spend);
        }

        foreach (var (account, request, tokens) in slots)
        {
            var (mine, others) = (workers.Where(w => w.Account == account && (w.Pid, w.Started) == _self), workers.Where(w =>
                w.Account == account && w.Lives && (w.Pid, w.Started) != _self));
            books.Accounts.Add(account, new AccountState(request, tokens, mine.Sum(w => w.Sending), others.Sum(w => w.Sending)));
        }

        return (books, [.. workers.Where(w => !w.Lives).Select(w => w.Account).Distinct().Order(StringComparer.Ordinal)]);
    }

    private async Task WriteAsync(NpgsqlConnection connection, CallBooks books, CancellationToken token)
    {
        var (pid, started) = _self!.Value;
        await using var batch = new NpgsqlBatch(connection);
        if (books.ChangedLeases.Count > 0)
        {
            var accounts = books.Accounts.ToArray();
            Add(
                CallTables.SetAccounts, Column(accounts, a => a.Key), Column(accounts, a => WholeMicroseconds(a.Value.RequestSlot)),
                Column(accounts, a => WholeMicroseconds(a.Value.TokenSlot)));
            Add(CallTables.SetWorkers, Column(accounts, a => a.Key), Column(accounts, a => a.Value.Sending), pid, started);
            var spends = books.Spends.ToArray();
            Add(
                CallTables.SetSpends, Column(spends, s => s.Key.Run), Column(spends, s => s.Key.Iteration),
                Column(spends, s => s.Value.Spent.Money), Column(spends, s => s.Value.Spent.Tokens),
                Column(spends, s => s.Value.Reserved.Money), Column(spends, s => s.Value.Reserved.Tokens),
                Column(spends, s => s.Value.InDoubt.Money), Column(spends, s => s.Value.InDoubt.Tokens));
            var ended = books.ChangedLeases.Where(l => !books.Leases.ContainsKey(l)).ToArray();
            if (ended.Length > 0)
            {
                Add(CallTables.EndLeases, Column(ended, l => l.Account), Column(ended, l => l.Hash));
            }

            var leases = books.ChangedLeases.Where(books.Leases.ContainsKey)
                .Select(l => (l.Account, l.Hash, Lease: books.Leases[l])).ToArray();
            if (leases.Length > 0)
            {
                Add(
                    CallTables.SetLeases, Column(leases, l => l.Account), Column(leases, l => l.Hash), Column(leases, l => l.Lease.Ticket),
                    Column(leases, l => l.Lease.InDoubt ? (int?)null : pid),
                    // The type is explicit, since a leading null does not determine it.
                    new NpgsqlParameter
                    {
                        Value = Column(leases, l => l.Lease.InDoubt ? (DateTime?)null : started),
                        NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz
                    },
                    Column(leases, l => l.Lease.Run), Column(leases, l => l.Lease.Iteration), Column(leases, l => l.Lease.Reserved.Money),
                    Column(leases, l => l.Lease.Reserved.Tokens));
            }
        }

        if (books.NewReplies.Count > 0)
        {
            var replies = books.NewReplies.DistinctBy(r => r.Hash).OrderBy(r => r.Hash, StringComparer.Ordinal).ToArray();
            Add(
                CallTables.AddReplies, Column(replies, r => r.Hash), Column(replies, r => r.Service), Column(replies, r => r.Model),
                Column(replies, r => r.Payer),
                // PostgreSQL's text type cannot hold NUL.
                Column(replies, r => r.Body.Replace('\0', '\uFFFD')), Column(replies, r => r.InputTokens),
                Column(replies, r => r.OutputTokens),
                Column(replies, r => r.Cost), Column(replies, r => r.Attempts), Column(replies, r => r.At.UtcDateTime));
        }

        Add("commit");
        await batch.ExecuteNonQueryAsync(token);

        void Add(string sql, params object[] parameters) => batch.BatchCommands.Add(Command(sql, parameters));
    }

    private static async Task BuryAsync(NpgsqlConnection connection, IReadOnlyList<string> accounts, CancellationToken token)
    {
        object of = accounts.ToArray();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("begin"), Command(CallTables.LockAccounts, of), Command(CallTables.LockSpendsOfDead, of),
                Command(CallTables.BuryDead, of), new("commit")
            },
        };
        await batch.ExecuteNonQueryAsync(token);
    }

    internal static CallSpend SpendOf(NpgsqlDataReader r) => new(
        r.GetInt32(1), new(r.GetDecimal(2), r.GetInt64(3)), new(r.GetDecimal(4), r.GetInt64(5)), new(r.GetDecimal(6), r.GetInt64(7)));

    private static StoredReply ReplyOf(NpgsqlDataReader r) => new(
        r.GetString(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetInt32(5), r.GetInt32(6), r.GetDecimal(7),
        r.GetInt32(8), new(r.GetDateTime(9)));

    /// <summary>The rows of the next result that has any columns.</summary>
    private static async Task<List<T>> RowsAsync<T>(NpgsqlDataReader reader, Func<NpgsqlDataReader, T> row, CancellationToken token)
    {
        var rows = new List<T>();
        while (await reader.ReadAsync(token))
        {
            rows.Add(row(reader));
        }

        await reader.NextResultAsync(token);
        return rows;
    }

    private static TColumn[] Column<T, TColumn>(T[] rows, Func<T, TColumn> value) => Array.ConvertAll(rows, r => value(r));

    // Rounding down would move slots closer to each other with every batch.
    private static DateTime WholeMicroseconds(DateTime slot) => new((slot.Ticks + 9) / 10 * 10, DateTimeKind.Utc);

    private static NpgsqlBatchCommand Command(string sql, params object[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in parameters)
        {
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        }

        return command;
    }
}
