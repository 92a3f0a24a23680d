using Alt.Domain;
using Npgsql;

namespace Alt.Infra.Audits;

public sealed partial class Audit
{
    /// <summary>Runs a user's query: one read-only statement, with a limit on time and rows.</summary>
    /// <exception cref="InputException">PostgreSQL refuses it, or it takes longer.</exception>
    public async Task<Listing> SqlAsync(string sql, int limit, TimeSpan timeout, CancellationToken token = default)
    {
        await using var connection = await ledger.Source.OpenConnectionAsync(token);
        await using var transaction = await connection.BeginTransactionAsync(token);
        try
        {
            // Besides writing, a superuser's query could read files and start programs; this role reads tables and nothing else.
            await using (var fence = new NpgsqlBatch(connection, transaction)
            {
                BatchCommands =
                {
                    new NpgsqlBatchCommand("set transaction read only"),
                    new NpgsqlBatchCommand($"set local statement_timeout = {(long)timeout.TotalMilliseconds}"),
                    new NpgsqlBatchCommand("set local role pg_read_all_data"),
                },
            })
            {
                await fence.ExecuteNonQueryAsync(token);
            }

            // A batch command is sent as one statement: PostgreSQL refuses a second one, which could end this transaction and run outside
            // of it.
            await using var batch = new NpgsqlBatch(connection, transaction)
            {
                BatchCommands = { new NpgsqlBatchCommand(sql.Trim().TrimEnd(';')) }
            };
            await using var reader = await batch.ExecuteReaderAsync(token);
            var columns = Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToArray();
            var rows = new List<IReadOnlyList<object?>>();
            while (rows.Count < limit && await reader.ReadAsync(token))
            {
                rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : reader.GetValue(i))]);
            }

            var more = rows.Count == limit && await reader.ReadAsync(token);
            if (more)
            {
                batch.Cancel();
            }

            return new Listing(columns, rows, more);
        }
        catch (PostgresException e)
        {
            throw new InputException(
                e.SqlState == PostgresErrorCodes.QueryCanceled
                    ? $"the query took longer than {timeout.TotalSeconds:0} s; give more with --timeout"
                    : $"the query: {e.MessageText} ({e.SqlState})",
                e);
        }
    }
}

/// <summary>Rows under named columns.</summary>
/// <param name="More">There were more rows than asked for.</param>
public sealed record Listing(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows, bool More = false);
