using Google.Protobuf;
using Npgsql;
using NpgsqlTypes;
using Temporalio.Api.History.V1;
using TemporalServer.Engine;
using TemporalServer.Engine.State;

namespace TemporalServer.Persistence;

/// <summary>Loads runs and stores their transitions.</summary>
internal sealed class ExecutionStore(Database database)
{
    private readonly NpgsqlDataSource _source = database.Source;
    private readonly string _schema = database.Schema;

    public async Task<string?> CurrentRunIdAsync(string ns, string workflowId)
    {
        await using var command = _source.CreateCommand(
            $"SELECT run_id FROM {_schema}.current_executions WHERE namespace = $1 AND workflow_id = $2");
        command.Parameters.Add(new() { Value = ns });
        command.Parameters.Add(new() { Value = workflowId });
        return (await command.ExecuteScalarAsync())?.ToString();
    }

    /// <summary>Loads a run with its whole history, or null if it does not exist.</summary>
    public async Task<WorkflowRun?> LoadAsync(RunAddress address)
    {
        if (!Guid.TryParse(address.RunId, out var runId))
        {
            return null;
        }

        // Both reads in one snapshot: a single statement per batch entry, one round trip.
        await using var connection = await _source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(Command(
            $"SELECT version, state FROM {_schema}.executions WHERE run_id = $1 AND namespace = $2 AND workflow_id = $3",
            runId, address.Namespace, address.WorkflowId));
        batch.BatchCommands.Add(Command($"SELECT events FROM {_schema}.history WHERE run_id = $1 ORDER BY first_event_id", runId));
        await using var reader = await batch.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
        {
            return null;
        }

        var version = reader.GetInt64(0);
        var state = ExecutionState.Parser.ParseFrom(reader.GetFieldValue<byte[]>(1));
        await reader.NextResultAsync();
        var history = new List<HistoryEvent>();
        while (await reader.ReadAsync())
        {
            history.AddRange(History.Parser.ParseFrom(reader.GetFieldValue<byte[]>(0)).Events);
        }

        return new WorkflowRun(state, history, version);
    }

    /// <summary>
    /// Stores one transition of each run: all of them, or none. If another writer has changed a run since it was loaded,
    /// the database refuses the whole transaction.
    /// </summary>
    public async Task SaveAsync(IEnumerable<WorkflowRun> runs)
    {
        await using var batch = _source.CreateBatch();
        foreach (var run in runs)
        {
            AddCommands(batch.BatchCommands, run);
        }

        await batch.ExecuteNonQueryAsync();
    }

    /// <summary>Removes a run and everything about it.</summary>
    public async Task DeleteAsync(RunAddress address)
    {
        var runId = Guid.Parse(address.RunId);
        await using var batch = _source.CreateBatch();
        batch.BatchCommands.Add(Command(
            $"DELETE FROM {_schema}.current_executions WHERE namespace = $1 AND workflow_id = $2 AND run_id = $3", address.Namespace,
            address.WorkflowId, runId));
        foreach (var table in new[] { "executions", "history", "visibility" })
        {
            batch.BatchCommands.Add(Command($"DELETE FROM {_schema}.{table} WHERE run_id = $1", runId));
        }

        await batch.ExecuteNonQueryAsync();
    }

    /// <summary>Some runs of a namespace that closed before a time, those that closed first before the others.</summary>
    public async Task<IReadOnlyList<RunAddress>> ClosedBeforeAsync(string ns, DateTime time, int limit)
    {
        await using var command = _source.CreateCommand(
            $"SELECT workflow_id, run_id FROM {_schema}.visibility WHERE namespace = $1 AND close_time < $2 ORDER BY "
            + $"close_time LIMIT {limit}");
        command.Parameters.Add(new() { Value = ns });
        command.Parameters.Add(new() { Value = time, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await using var reader = await command.ExecuteReaderAsync();
        var runs = new List<RunAddress>();
        while (await reader.ReadAsync())
        {
            runs.Add(new RunAddress(ns, reader.GetString(0), reader.GetGuid(1).ToString()));
        }

        return runs;
    }

    /// <summary>Every run that has work for workers or other runs, or waits for time; read when the server starts.</summary>
    public async Task<(List<RunAddress> WithWork, List<(RunAddress Run, DateTime At)> Waiting)> LoadPendingAsync()
    {
        var withWork = new List<RunAddress>();
        var waiting = new List<(RunAddress, DateTime)>();
        await using var command = _source.CreateCommand(
            $"SELECT namespace, workflow_id, run_id, has_work, wake_at FROM {_schema}.executions WHERE has_work OR wake_at IS NOT NULL");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var run = new RunAddress(reader.GetString(0), reader.GetString(1), reader.GetGuid(2).ToString());
            if (reader.GetBoolean(3))
            {
                withWork.Add(run);
            }

            if (!await reader.IsDBNullAsync(4))
            {
                waiting.Add((run, reader.GetDateTime(4)));
            }
        }

        return (withWork, waiting);
    }

    private void AddCommands(NpgsqlBatchCommandCollection commands, WorkflowRun run)
    {
        var runId = Guid.Parse(run.State.RunId);
        run.State.Transitions++;
        var state = run.State.ToByteArray();
        object wakeAt = run.NextWake() is { } time ? time : DBNull.Value;
        if (run.Version == 0)
        {
            commands.Add(Command(
                $"INSERT INTO {_schema}.executions (run_id, namespace, workflow_id, version, state, has_work, wake_at) VALUES "
                    + "($1, $2, $3, 1, $4, $5, $6)",
                runId, run.State.Namespace, run.State.WorkflowId, state, run.HasWork, wakeAt));
            commands.Add(Command(
                $"""
                INSERT INTO {_schema}.current_executions (namespace, workflow_id, run_id) VALUES ($1, $2, $3)
                ON CONFLICT (namespace, workflow_id) DO UPDATE SET run_id = excluded.run_id
                """,
                run.State.Namespace, run.State.WorkflowId, runId));
        }
        else
        {
            // If the version differs, NULL goes into a column that forbids it, which aborts the transaction.
            commands.Add(Command(
                $"""
                UPDATE {_schema}.executions SET version = CASE WHEN version = $2 THEN version + 1 END, state = $3, has_work = $4, wake_at = $5
                WHERE run_id = $1
                """,
                runId, run.Version, state, run.HasWork, wakeAt));
        }

        if (run.NewEvents is { Count: > 0 } events)
        {
            var history = new History();
            history.Events.Add(events);
            commands.Add(Command(
                $"INSERT INTO {_schema}.history (run_id, first_event_id, events) VALUES ($1, $2, $3)", runId, events[0].EventId,
                history.ToByteArray()));
        }

        if (run.VisibilityChanged)
        {
            commands.Add(Visibility(runId, run));
        }
    }

    private NpgsqlBatchCommand Visibility(Guid runId, WorkflowRun run)
    {
        var state = run.State;
        var root = state.Root ?? run.Execution;
        var command = Command(
            $"""
            INSERT INTO {_schema}.visibility (run_id, namespace, workflow_id, workflow_type, task_queue, status, start_time, execution_time, close_time,
                history_length, history_bytes, transitions, parent_workflow_id, parent_run_id, root_workflow_id, root_run_id, info, search_attributes)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
            ON CONFLICT (run_id) DO UPDATE SET status = excluded.status, close_time = excluded.close_time, history_length = excluded.history_length,
                history_bytes = excluded.history_bytes, transitions = excluded.transitions, info = excluded.info, search_attributes = excluded.search_attributes
            """,
            runId, state.Namespace, state.WorkflowId, state.WorkflowType, state.TaskQueue, (int)state.Status,
            state.StartTime.ToDateTime(), state.ExecutionTime.ToDateTime(),
            state.CloseTime is { } closed ? closed.ToDateTime() : DBNull.Value,
            state.NextEventId - 1, state.HistoryBytes, state.Transitions,
            state.Parent is { } parent ? parent.WorkflowId : DBNull.Value, state.Parent is { } p ? p.RunId : DBNull.Value,
            root.WorkflowId, root.RunId, run.Info().ToByteArray());
        command.Parameters.Add(new() { Value = SearchAttributeJson.From(state.SearchAttributes), NpgsqlDbType = NpgsqlDbType.Jsonb });
        return command;
    }

    private static NpgsqlBatchCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(
                value is DateTime time ? new() { Value = time, NpgsqlDbType = NpgsqlDbType.TimestampTz } : new() { Value = value });
        }

        return command;
    }
}
