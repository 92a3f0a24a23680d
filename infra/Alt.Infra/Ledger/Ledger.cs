using System.Runtime.ExceptionServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Alt.Domain;
using JasperFx;
using JasperFx.Events;
using Marten;
using Npgsql;
using Weasel.Core;
using EventDeserializationFailureException = Marten.Exceptions.EventDeserializationFailureException;
using ExistingStreamIdCollisionException = Marten.Exceptions.ExistingStreamIdCollisionException;

namespace Alt.Infra;

/// <summary>
/// The record of all runs: event streams in a Marten store, and the projections that change with them in one transaction.
/// </summary>
public sealed partial class Ledger : IAsyncDisposable
{
    /// <summary>Number of the advisory lock that the process creating the schema holds: "ALT" in ASCII.</summary>
    private const long SchemaLock = 0x414C54;

    private readonly NpgsqlDataSource _source;
    private readonly IDocumentStore _store;
    private readonly ArtifactStore _artifacts;
    private readonly Projector _projector;

    private Ledger(NpgsqlDataSource source, ArtifactStore artifacts)
    {
        _source = source;
        _artifacts = artifacts;
        _projector = new Projector(artifacts);
        _store = DocumentStore.For(options => Configure(options, source));
    }

    internal NpgsqlDataSource Source => _source;

    /// <summary>Opens the record, creates what is missing in the database, and rebuilds projections of an older version.</summary>
    /// <param name="artifacts">Holds what the events name.</param>
    public static async Task<Ledger> OpenAsync(string connectionString, ArtifactStore artifacts, CancellationToken token = default)
    {
        var ledger = new Ledger(NpgsqlDataSource.Create(connectionString), artifacts);
        try
        {
            await ledger.PrepareAsync(token);
            return ledger;
        }
        catch
        {
            await ledger.DisposeAsync();
            throw;
        }
    }

    public static string RunStream(string run) => $"run-{run}";

    public static string IterationStream(IterationRef iteration) => $"iteration-{iteration.Run}-{iteration.Number}";

    public async Task<RunState> RunAsync(string run, CancellationToken token = default) =>
        RunState.Fold((await EventsAsync(RunStream(run), token)).Cast<RunEvent>());

    /// <exception cref="InputException">The run does not exist.</exception>
    /// <exception cref="LedgerException">It has lost events.</exception>
    public async Task<RunState> ExistingRunAsync(string run, CancellationToken token = default)
    {
        var state = await RunAsync(run, token);
        await RequireWholeAsync(RunStream(run), token);
        return state.Status == RunStatus.Missing ? throw new InputException($"no run '{run}'; `./alt status` lists the runs") : state;
    }

    public async Task<IterationState> IterationAsync(IterationRef iteration, CancellationToken token = default) =>
        IterationState.Fold((await EventsAsync(IterationStream(iteration), token)).Cast<IterationEvent>());

    /// <summary>All runs, the latest first.</summary>
    public async Task<IReadOnlyList<string>> RunsAsync(CancellationToken token = default)
    {
        await using var command = _source.CreateCommand("select run from alt_runs order by started desc, run");
        await using var reader = await command.ExecuteReaderAsync(token);
        var runs = new List<string>();
        while (await reader.ReadAsync(token))
        {
            runs.Add(reader.GetString(0));
        }

        return runs;
    }

    /// <exception cref="InputException">The run does not exist.</exception>
    public async Task<RunReport> ReportAsync(string run, CancellationToken token = default)
    {
        var state = await ExistingRunAsync(run, token);
        var iterations = new List<IterationState>();
        for (var n = 0; n <= state.Config.Iterations; n++)
        {
            iterations.Add(await IterationAsync(new(run, n), token));
        }

        return RunReport.From(state, iterations);
    }

    /// <summary>A model that an earlier run prepared from exactly these inputs; null if none did.</summary>
    public async Task<PreparedModel?> PreparedAsync(string inputsHash, CancellationToken token = default)
    {
        await using var session = _store.QuerySession();
        return await session.LoadAsync<PreparedModel>(inputsHash, token);
    }

    /// <summary>
    /// Records a run's fact unless <paramref name="recorded"/> finds one already; either way returns the recorded one.
    /// The stream's version decides between racing writers: the loser reads again and finds the winner's fact.
    /// </summary>
    /// <param name="prepared">A model for later runs to find, in the same transaction.</param>
    public Task<T> RecordAsync<T>(
        string run, Func<RunState, T?> recorded, T @event, PreparedModel? prepared = null, CancellationToken token = default)
        where T : RunEvent =>
        RecordAsync<RunEvent, T>(
            RunStream(run), events => recorded(RunState.Fold(events)), @event, _ => Task.FromResult(Projector.ChangeOf(@event)), prepared,
            token);

    /// <inheritdoc cref="RecordAsync{T}(string, Func{RunState, T?}, T, PreparedModel?, CancellationToken)"/>
    public Task<T> RecordAsync<T>(
        IterationRef iteration, Func<IterationState, T?> recorded, T @event, CancellationToken token = default)
        where T : IterationEvent =>
        RecordAsync<IterationEvent, T>(
            IterationStream(iteration), events => recorded(IterationState.Fold(events)), @event,
            past => ChangeOfAsync(iteration, past, @event, token), null, token);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _source.DisposeAsync();
    }

    /// <summary>Marten's configuration for the record; <c>./alt bench events</c> measures the same one.</summary>
    internal static void Configure(StoreOptions options, NpgsqlDataSource source)
    {
        options.Connection(source);
        // Only PrepareAsync may create the schema.
        options.AutoCreateSchemaObjects = AutoCreate.None;
        options.UseSystemTextJsonForSerialization(EnumStorage.AsString, configure: json =>
        {
            // jsonb sorts its keys, so that a judge's kind may come after its settings.
            json.AllowOutOfOrderMetadataProperties = true;
            // A setting of another build would be dropped, and the run would continue with a default in its place.
            json.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        });
        options.RegisterDocumentType<PreparedModel>();
        options.Events.StreamIdentity = StreamIdentity.AsString;
        foreach (var type in new[] { typeof(RunEvent), typeof(IterationEvent) }.SelectMany(t => t.GetNestedTypes()))
        {
            options.Events.AddEventType(type);
        }
    }

    /// <exception cref="LedgerException">The stream has lost events, or another build wrote it.</exception>
    private async Task<IReadOnlyList<object>> EventsAsync(string stream, CancellationToken token)
    {
        await using var session = _store.QuerySession();
        var events = await ReadAsync();
        var gap = events.Index().FirstOrDefault(e => e.Item.Version != e.Index + 1);
        return gap.Item is null ? [.. events.Select(e => e.Data)] : throw LedgerException.Lost(stream, gap.Index + 1);

        async Task<IReadOnlyList<IEvent>> ReadAsync()
        {
            try
            {
                return await session.Events.FetchStreamAsync(stream, token: token);
            }
            catch (EventDeserializationFailureException e) when (e.GetBaseException() is JsonException or NotSupportedException)
            {
                throw LedgerException.OtherBuild(stream, e);
            }
        }
    }

    private async Task<T> RecordAsync<TEvent, T>(
        string stream, Func<IEnumerable<TEvent>, T?> recorded, T @event, Func<IReadOnlyList<TEvent>, Task<ProjectionChange?>> changeOf,
        PreparedModel? prepared, CancellationToken token)
        where TEvent : class
        where T : class, TEvent
    {
        while (true)
        {
            TEvent[] past = [.. (await EventsAsync(stream, token)).Cast<TEvent>()];
            if (recorded(past) is { } existing)
            {
                return existing;
            }

            var change = await changeOf(past);
            try
            {
                await using var session = _store.LightweightSession();
                if (change is not null && !await ApplyAsync(session, stream, past.Length, change, token))
                {
                    continue;
                }

                if (past.Length == 0)
                {
                    session.Events.StartStream(stream, @event);
                }
                else
                {
                    session.Events.Append(stream, past.Length + 1, @event);
                }

                session.QueueSqlCommand(Seals.Append, stream, (long)past.Length + 1);
                if (prepared is not null)
                {
                    session.Store(prepared);
                }

                await session.SaveChangesAsync(token);
                return @event;
            }
            catch (Exception e) when (e is ConcurrencyException or ExistingStreamIdCollisionException)
            {
                // Another writer recorded first. The next round reads its fact, unless the stream cannot be read.
                await RequireWholeAsync(stream, token);
            }
            catch (ObjectDisposedException e) when (e.InnerException is NpgsqlException lost)
            {
                // Marten rolls back on a lost connection, and reports that instead of the cause of the loss.
                ExceptionDispatchInfo.Throw(lost);
            }
            catch (Exception e) when ((e as PostgresException ?? e.InnerException as PostgresException) is { } refusal
                && LedgerException.IsFullDisk(refusal))
            {
                throw LedgerException.FullDisk(stream, past.Length + 1, refusal);
            }
        }
    }

    /// <summary>Changes the projections in the session's transaction, alone on the stream, and while no rebuild is under way.</summary>
    /// <returns>false if another writer recorded meanwhile; nothing is changed then.</returns>
    private static async Task<bool> ApplyAsync(
        IDocumentSession session, string stream, int version, ProjectionChange change, CancellationToken token)
    {
        await HoldStreamAsync(session, stream, token);
        if (((await session.Events.FetchStreamStateAsync(stream, token))?.Version ?? 0) != version)
        {
            return false;
        }

        await change(session.Connection, token);
        return true;
    }

    /// <summary>
    /// Begins the session's transaction, and makes it the only one that changes projections for the stream, with no rebuild under way.
    /// </summary>
    private static async Task HoldStreamAsync(IDocumentSession session, string stream, CancellationToken token)
    {
        await session.BeginTransactionAsync(token);
        await using var hold = new NpgsqlCommand(
            $"select pg_advisory_xact_lock_shared({RebuildLock}), pg_advisory_xact_lock(hashtextextended($1, 0))", session.Connection)
        {
            Parameters = { new() { Value = stream } },
        };
        await hold.ExecuteNonQueryAsync(token);
    }

    /// <exception cref="LedgerException">The stream has lost its last events.</exception>
    private async Task RequireWholeAsync(string stream, CancellationToken token)
    {
        // Asked in this order, since a stream only grows.
        await using var session = _store.QuerySession();
        var version = (await session.Events.FetchStreamStateAsync(stream, token))?.Version ?? 0;
        var found = (await EventsAsync(stream, token)).Count;
        if (found < version)
        {
            throw LedgerException.Lost(stream, found + 1);
        }
    }
}

/// <summary>A trained model, keyed by the hash of all its training inputs, so that later runs need not train it again.</summary>
/// <param name="Id">SHA-256 of the inputs.</param>
/// <param name="Hash">Digest of the weights.</param>
public sealed record PreparedModel(string Id, ArtifactRef Artifact, string Hash, int Texts, long Tokens, double Loss);
