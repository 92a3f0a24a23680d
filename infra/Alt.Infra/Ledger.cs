using Alt.Domain;
using JasperFx;
using JasperFx.Events;
using Marten;
using Marten.Exceptions;
using Npgsql;
using Weasel.Core;

namespace Alt.Infra;

/// <summary>The record of all runs: event streams in a Marten store, and the projections that change with them in one transaction.</summary>
public sealed partial class Ledger : IAsyncDisposable
{
    /// <summary>Number of the advisory lock that whoever creates the schema holds: "ALT" in ASCII.</summary>
    private const long SchemaLock = 0x414C54;

    private readonly NpgsqlDataSource source;
    private readonly IDocumentStore store;

    private Ledger(NpgsqlDataSource source)
    {
        this.source = source;
        store = DocumentStore.For(options =>
        {
            options.Connection(source);
            options.UseSystemTextJsonForSerialization(EnumStorage.AsString);
            options.Events.StreamIdentity = StreamIdentity.AsString;
            foreach (var type in new[] { typeof(RunEvent), typeof(IterationEvent) }.SelectMany(t => t.GetNestedTypes()))
            {
                options.Events.AddEventType(type);
            }
        });
    }

    /// <summary>Opens the record and creates what is missing in the database.</summary>
    public static async Task<Ledger> OpenAsync(string connectionString, CancellationToken token = default)
    {
        var ledger = new Ledger(NpgsqlDataSource.Create(connectionString));
        // "If not exists" looks before it creates: two processes that open a new database at once would collide.
        await using var connection = await ledger.source.OpenConnectionAsync(token);
        await using var transaction = await connection.BeginTransactionAsync(token);
        await using var oneAtATime = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection, transaction) { Parameters = { new() { Value = SchemaLock } } };
        await oneAtATime.ExecuteNonQueryAsync(token);
        await ledger.store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        await using var command = ledger.source.CreateCommand(Projections.Schema);
        await command.ExecuteNonQueryAsync(token);
        await transaction.CommitAsync(token);
        return ledger;
    }

    public static string RunStream(string run) => $"run-{run}";

    public static string IterationStream(string run, int iteration) => $"iteration-{run}-{iteration}";

    public async Task<RunState> RunAsync(string run, CancellationToken token = default) =>
        RunState.Fold((await EventsAsync(RunStream(run), token)).Cast<RunEvent>());

    /// <exception cref="InputException">There is no such run.</exception>
    public async Task<RunState> ExistingRunAsync(string run, CancellationToken token = default)
    {
        var state = await RunAsync(run, token);
        return state.Status == RunStatus.Missing ? throw new InputException($"no run '{run}'; `alt status` lists the runs") : state;
    }

    public async Task<IterationState> IterationAsync(string run, int iteration, CancellationToken token = default) =>
        IterationState.Fold((await EventsAsync(IterationStream(run, iteration), token)).Cast<IterationEvent>());

    /// <summary>All runs, the latest first.</summary>
    public async Task<IReadOnlyList<string>> RunsAsync(CancellationToken token = default)
    {
        await using var command = source.CreateCommand("select run from alt_runs order by started desc, run");
        await using var reader = await command.ExecuteReaderAsync(token);
        var runs = new List<string>();
        while (await reader.ReadAsync(token))
        {
            runs.Add(reader.GetString(0));
        }

        return runs;
    }

    /// <exception cref="InputException">There is no such run.</exception>
    public async Task<RunReport> ReportAsync(string run, CancellationToken token = default)
    {
        var state = await ExistingRunAsync(run, token);
        var iterations = new List<IterationState>();
        for (var n = 0; n <= state.Config.Iterations; n++)
        {
            iterations.Add(await IterationAsync(run, n, token));
        }

        return RunReport.From(state, iterations);
    }

    /// <summary>A model that an earlier run prepared from exactly these inputs; null if none did.</summary>
    public async Task<PreparedModel?> PreparedAsync(string inputsHash, CancellationToken token = default)
    {
        await using var session = store.QuerySession();
        return await session.LoadAsync<PreparedModel>(inputsHash, token);
    }

    /// <summary>
    /// Records a run's fact unless <paramref name="recorded"/> finds it there already; either way returns the one that counts.
    /// Racing writers are told apart by the stream's version: the loser reads again and finds the winner's fact.
    /// </summary>
    /// <param name="change">What the projections take from the fact, in the same transaction.</param>
    /// <param name="prepared">A model for later runs to find, in the same transaction.</param>
    public Task<T> RecordAsync<T>(
        string run, Func<RunState, T?> recorded, T @event, ProjectionChange? change = null, PreparedModel? prepared = null, CancellationToken token = default)
        where T : RunEvent =>
        RecordAsync<RunEvent, T>(RunStream(run), events => recorded(RunState.Fold(events)), @event, change, prepared, token);

    /// <inheritdoc cref="RecordAsync{T}(string, Func{RunState, T?}, T, ProjectionChange?, PreparedModel?, CancellationToken)"/>
    public Task<T> RecordAsync<T>(
        string run, int iteration, Func<IterationState, T?> recorded, T @event, ProjectionChange? change = null, CancellationToken token = default)
        where T : IterationEvent =>
        RecordAsync<IterationEvent, T>(IterationStream(run, iteration), events => recorded(IterationState.Fold(events)), @event, change, null, token);

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        await source.DisposeAsync();
    }

    private async Task<IReadOnlyList<object>> EventsAsync(string stream, CancellationToken token)
    {
        await using var session = store.QuerySession();
        return [.. (await session.Events.FetchStreamAsync(stream, token: token)).Select(e => e.Data)];
    }

    private async Task<T> RecordAsync<TEvent, T>(
        string stream, Func<IEnumerable<TEvent>, T?> recorded, T @event, ProjectionChange? change, PreparedModel? prepared, CancellationToken token)
        where TEvent : class
        where T : class, TEvent
    {
        while (true)
        {
            var past = await EventsAsync(stream, token);
            if (recorded(past.Cast<TEvent>()) is { } existing)
            {
                return existing;
            }

            await using var session = store.LightweightSession();
            if (past.Count == 0)
            {
                session.Events.StartStream(stream, @event);
            }
            else
            {
                session.Events.Append(stream, past.Count + 1, @event);
            }

            if (change is not null)
            {
                session.QueueSqlCommand(change.Sql, change.Parameters);
            }

            if (prepared is not null)
            {
                session.Store(prepared);
            }

            try
            {
                await session.SaveChangesAsync(token);
                return @event;
            }
            catch (Exception e) when (e is ConcurrencyException or ExistingStreamIdCollisionException)
            {
                // Somebody else recorded first; the next round sees what.
            }
        }
    }
}

/// <summary>A trained model under the hash of everything it was trained from, so that later runs need not train it again.</summary>
/// <param name="Id">SHA-256 of the inputs.</param>
/// <param name="Hash">Digest of the weights.</param>
public sealed record PreparedModel(string Id, ArtifactRef Artifact, string Hash, int Texts, long Tokens, double Loss);
