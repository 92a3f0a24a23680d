using System.Data;
using System.Runtime.CompilerServices;
using Alt.Domain;
using JasperFx;
using Npgsql;

namespace Alt.Infra;

public sealed partial class Ledger
{
    /// <summary>
    /// A lock that writers of projections share and a rebuild holds exclusively. No stream's hash is likely to have this number.
    /// </summary>
    private const long RebuildLock = 0x616C74;

    /// <summary>
    /// Rebuilds the projections from events and artifacts, in one transaction: nothing is changed if an artifact is missing.
    /// </summary>
    /// <returns>How many rows each table has.</returns>
    /// <exception cref="ArtifactException">An artifact that the rows come from is missing or corrupt.</exception>
    public async Task<IReadOnlyDictionary<string, long>> RebuildAsync(CancellationToken token = default)
    {
        await using var connection = await _source.OpenConnectionAsync(token);
        await using var transaction = await connection.BeginTransactionAsync(token);
        await RebuildAsync(connection, token);
        var rows = new Dictionary<string, long>();
        foreach (var table in Projections.Tables)
        {
            await using var count = new NpgsqlCommand($"select count(*) from {table}", connection);
            rows[table] = (long)(await count.ExecuteScalarAsync(token))!;
        }

        await transaction.CommitAsync(token);
        return rows;
    }

    /// <summary>
    /// Compares a run's rows with those that its events and artifacts make, as of one moment: they are made again in temporary tables.
    /// Changes nothing and blocks no other process.
    /// </summary>
    /// <returns>Of each table with a row too few, too many or different, the first one.</returns>
    /// <exception cref="ArtifactException">An artifact that the rows come from is missing or corrupt.</exception>
    internal async Task<IReadOnlyList<ProjectionDifference>> DifferencesAsync(string run, CancellationToken token = default)
    {
        await using var connection = await _source.OpenConnectionAsync(token);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, token);
        var (events, iterations) = await PastAsync(connection, run, token);
        await ExecuteAsync(connection, Projections.CreateTemporary, token);
        await foreach (var change in ChangesOfAsync(events, iterations, token))
        {
            await change(connection, token);
        }

        var differences = new List<ProjectionDifference>();
        foreach (var table in Projections.Tables)
        {
            var key = await AskAsync<string>(connection, Projections.KeyOf(table), token);
            if (await AskAsync<string?>(connection, Projections.FirstDifference(table, key), token, run) is { } row)
            {
                differences.Add(new ProjectionDifference(table, row));
            }
        }

        return differences;
    }

    /// <summary>Adds the current seals to the run's certificate, which lies outside of the database.</summary>
    public Task CertifyAsync(string run, CancellationToken token = default) => new Certificate(_artifacts, run).ExtendAsync(this, token);

    /// <summary>Starts an iteration with its facts but without their rows, which a benchmark creates itself.</summary>
    internal async Task StartUnprojectedAsync(IterationRef iteration, IEnumerable<IterationEvent> events, CancellationToken token)
    {
        await using var session = _store.LightweightSession();
        session.Events.StartStream(IterationStream(iteration), [.. events]);
        session.QueueSqlCommand(Seals.AppendStream, IterationStream(iteration));
        await session.SaveChangesAsync(token);
    }

    /// <summary>
    /// Creates what is missing, under a lock: "if not exists" checks before it creates, so that two processes that open a new database at
    /// once would collide.
    /// </summary>
    private async Task PrepareAsync(CancellationToken token)
    {
        await using var connection = await _source.OpenConnectionAsync(token);
        await using var transaction = await connection.BeginTransactionAsync(token);
        await ExecuteAsync(connection, $"select pg_advisory_xact_lock({SchemaLock})", token);
        await _store.Storage.ApplyAllConfiguredChangesToDatabaseAsync(AutoCreate.CreateOrUpdate);
        if (!await AskAsync<bool>(connection, Seals.Exists, token))
        {
            await ExecuteAsync(connection, Seals.Create, token);
        }

        if (await AskAsync<string?>(connection, Projections.CurrentVersion, token) != Projections.Version)
        {
            await RebuildAsync(connection, token);
        }

        await transaction.CommitAsync(token);
    }

    private async Task RebuildAsync(NpgsqlConnection connection, CancellationToken token)
    {
        await ExecuteAsync(connection, $"select pg_advisory_xact_lock({RebuildLock})", token);
        await ExecuteAsync(connection, Projections.Drop, token);
        await ExecuteAsync(connection, Projections.Create, token);
        foreach (var run in await RecordedRunsAsync(connection, token))
        {
            var (events, iterations) = await PastAsync(connection, run, token);
            await foreach (var change in ChangesOfAsync(events, iterations, token))
            {
                await change(connection, token);
            }
        }
    }

    /// <summary>A run's facts as the connection's transaction has them.</summary>
    private async Task<(IReadOnlyList<RunEvent> Events, IReadOnlyList<IReadOnlyList<IterationEvent>> Iterations)> PastAsync(
        NpgsqlConnection connection, string run, CancellationToken token)
    {
        // Other sessions read the events and may see later ones. A stream only grows, so its version in this transaction cuts those off.
        RunEvent[] events = [.. (await RunEventsAsync(run, token)).Take(await VersionAsync(RunStream(run)))];
        var iterations = new List<IReadOnlyList<IterationEvent>>();
        for (var number = 0; number <= RunState.Fold(events).Config.Iterations; number++)
        {
            var iteration = new IterationRef(run, number);
            iterations.Add([.. (await IterationEventsAsync(iteration, token)).Take(await VersionAsync(IterationStream(iteration)))]);
        }

        return (events, iterations);

        async Task<int> VersionAsync(string stream) =>
            (int)await AskAsync<long>(connection, "select version from mt_streams where id = $1", token, stream);
    }

    /// <summary>The changes of the projections that a run's whole past makes.</summary>
    private async IAsyncEnumerable<ProjectionChange> ChangesOfAsync(
        IReadOnlyList<RunEvent> events, IReadOnlyList<IReadOnlyList<IterationEvent>> iterations,
        [EnumeratorCancellation] CancellationToken token)
    {
        foreach (var change in events.Select(Projector.ChangeOf).OfType<ProjectionChange>())
        {
            yield return change;
        }

        var run = RunState.Fold(events);
        var configs = await ConfigsAsync(run, token);
        for (var number = 1; number < iterations.Count; number++)
        {
            var policy = number == 1 ? run.Base?.WeightsHash : IterationState.Fold(iterations[number - 1]).Training?.WeightsHash;
            for (var i = 0; i < iterations[number].Count; i++)
            {
                var before = iterations[number].Take(i);
                if (await _projector.ChangeOfAsync(
                    run.Started!.RunId, configs[number], policy, number, () => IterationState.Fold(before), iterations[number][i],
                    token) is { } change)
                {
                    yield return change;
                }
            }
        }
    }

    private async Task<ProjectionChange?> ChangeOfAsync(
        IterationRef iteration, IReadOnlyList<IterationEvent> past, IterationEvent @event, CancellationToken token)
    {
        if (!Projector.Concerns(@event))
        {
            return null;
        }

        var state = await RunAsync(iteration.Run, token);
        var policy = iteration.Number == 1
            ? state.Base?.WeightsHash
            : (await IterationAsync(iteration.Before(), token)).Training?.WeightsHash;
        return await _projector.ChangeOfAsync(
            iteration.Run, state.Config, policy, iteration.Number, () => IterationState.Fold(past), @event, token);
    }

    /// <summary>The config that each iteration of a run, from 0 on, was decided with: a fork has its parent's past.</summary>
    internal async Task<IReadOnlyList<RunConfig>> ConfigsAsync(RunState run, CancellationToken token = default)
    {
        var own = Enumerable.Repeat(run.Config, run.Config.Iterations + 1);
        return run.Started!.Origin is { } origin
            ? [.. (await ConfigsAsync(await RunAsync(origin.Run, token), token)).Take(origin.Iteration), .. own.Skip(origin.Iteration)]
            : [.. own];
    }

    private static async Task<IReadOnlyList<string>> RecordedRunsAsync(NpgsqlConnection connection, CancellationToken token)
    {
        const string Prefix = "run-";
        var runs = new List<string>();
        await using var command = new NpgsqlCommand(
            $"select id from mt_streams where id like '{Prefix}%' order by created, id", connection);
        await using var reader = await command.ExecuteReaderAsync(token);
        while (await reader.ReadAsync(token))
        {
            runs.Add(reader.GetString(0)[Prefix.Length..]);
        }

        return runs;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken token)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(token);
    }

    private static async Task<T> AskAsync<T>(NpgsqlConnection connection, string sql, CancellationToken token, params string[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var value in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return await command.ExecuteScalarAsync(token) is T answer ? answer : default!;
    }
}

/// <summary>A row that differs from what events and artifacts give.</summary>
/// <param name="Key">Its key, parts separated by slashes.</param>
internal sealed record ProjectionDifference(string Table, string Key);
