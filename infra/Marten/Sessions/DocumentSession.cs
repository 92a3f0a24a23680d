using System.Data;
using JasperFx.Events;
using Marten.Documents;
using Marten.Events;
using Npgsql;

namespace Marten.Sessions;

/// <summary>A unit of work on one store: what is queued, and the transaction that saves it.</summary>
internal sealed partial class DocumentSession(DocumentStore store, IsolationLevel isolation) : IDocumentSession
{
    private const int ReadRetries = 3;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    private readonly List<StreamAction> _streams = [];
    private readonly List<Operation> _operations = [];
    private NpgsqlConnection? _connection;
    private NpgsqlTransaction? _transaction;

    public IDocumentStore DocumentStore => store;

    public NpgsqlConnection Connection => _connection ??= store.DataSource.OpenConnection();

    internal EventGraph EventGraph => store.Options.EventGraph;

    internal JsonSerialization Json => store.Options.Serialization;

    public async ValueTask BeginTransactionAsync(CancellationToken token)
    {
        _connection ??= await store.DataSource.OpenConnectionAsync(token);
        _transaction ??= await _connection.BeginTransactionAsync(isolation, token);
    }

    public void EjectAllPendingChanges()
    {
        _streams.Clear();
        _operations.Clear();
    }

    public async Task SaveChangesAsync(CancellationToken token = default)
    {
        StreamAction[] streams = [.. _streams.Where(stream => stream.Events.Count > 0)];
        if (streams.Length == 0 && _operations.Count == 0)
        {
            return;
        }

        await EnsureSchemaAsync(streams.Length > 0, token);
        Stamp(streams);
        List<Operation> snapshots = await new InlineSnapshots(this).OperationsAsync(streams, token);
        IEnumerable<Operation> writes = streams.Select(stream => WriteEvents.For(EventGraph, stream, Json));
        await CommitAsync([.. writes, .. snapshots, .. _operations], token);
        EjectAllPendingChanges();
    }

    public void Dispose()
    {
        _transaction?.Dispose();
        _connection?.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        if (_transaction is not null)
        {
            await _transaction.DisposeAsync();
        }

        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }
    }

    /// <summary>
    /// Runs a read on the session's own connection where it has one, else on one from the pool; there it is tried again when the
    /// connection breaks, since a server that was restarted leaves broken ones behind.
    /// </summary>
    internal async Task<T> ReadAsync<T>(NpgsqlBatchCommand[] commands, Func<NpgsqlDataReader, Task<T>> read, CancellationToken token)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return await ReadOnceAsync(commands, read, token);
            }
            catch (NpgsqlException error) when (error.IsTransient && _connection is null && attempt < ReadRetries)
            {
                await Task.Delay(FirstPause * (1 << attempt), token);
            }
            catch (PostgresException error)
            {
                throw Errors.Translate(error, commands);
            }
        }
    }

    private async Task<T> ReadOnceAsync<T>(NpgsqlBatchCommand[] commands, Func<NpgsqlDataReader, Task<T>> read, CancellationToken token)
    {
        NpgsqlConnection connection = _connection ?? await store.DataSource.OpenConnectionAsync(token);
        try
        {
            await using var batch = new NpgsqlBatch(connection, _transaction);
            foreach (NpgsqlBatchCommand command in commands)
            {
                batch.BatchCommands.Add(command);
            }

            await using NpgsqlDataReader reader = await batch.ExecuteReaderAsync(token);
            return await read(reader);
        }
        finally
        {
            if (connection != _connection)
            {
                await connection.DisposeAsync();
            }
        }
    }

    internal async Task<DocumentMapping> DocumentAsync(Type type, CancellationToken token)
    {
        DocumentMapping mapping = store.Schema.MappingFor(type);
        await store.Schema.EnsureDocumentAsync(mapping, token);
        return mapping;
    }

    internal ValueTask EnsureEventsAsync(CancellationToken token) => store.Schema.EnsureEventsAsync(token);

    private async Task EnsureSchemaAsync(bool withEvents, CancellationToken token)
    {
        if (withEvents || _operations.Exists(operation => operation is StreamOperation))
        {
            await EnsureEventsAsync(token);
        }

        foreach (DocumentOperation operation in _operations.OfType<DocumentOperation>())
        {
            await store.Schema.EnsureDocumentAsync(operation.Mapping, token);
        }
    }

    /// <summary>One time for all events of a stream, unless the caller chose their own; versions where they are known already.</summary>
    private void Stamp(StreamAction[] streams)
    {
        foreach (StreamAction stream in streams)
        {
            DateTimeOffset now = EventGraph.TimeProvider.GetUtcNow();
            long? before = stream.ActionType == StreamActionType.Start ? 0 : stream.ExpectedVersionOnServer;
            for (int i = 0; i < stream.Events.Count; i++)
            {
                IEvent @event = stream.Events[i];
                @event.Timestamp = @event.Timestamp == default ? now : @event.Timestamp;
                @event.Id = @event.Id == Guid.Empty ? CombGuid.New(now) : @event.Id;
                @event.StreamId = stream.Id;
                @event.StreamKey = stream.Key;
                @event.Version = before + i + 1 ?? 0;
            }

            stream.AggregateTypeName = stream.AggregateType is null ? null : EventGraph.AggregateAlias(stream.AggregateType);
            stream.Version = before + stream.Events.Count ?? 0;
        }
    }

    private async Task CommitAsync(List<Operation> operations, CancellationToken token)
    {
        List<List<Operation>> batches = BatchRunner.Batches(operations);
        if (_transaction is not null)
        {
            await CommitTransactionAsync(batches, token);
            return;
        }

        bool oneRoundTrip = batches.Count == 1 && isolation == IsolationLevel.ReadCommitted && !operations.Exists(operation => operation.MayRefuse);
        NpgsqlConnection connection = _connection ?? await store.DataSource.OpenConnectionAsync(token);
        try
        {
            if (oneRoundTrip)
            {
                // A batch without BEGIN and COMMIT is a transaction of its own, and saves their round trip.
                await BatchRunner.RunAsync(connection, null, operations, token);
                return;
            }

            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(isolation, token);
            foreach (List<Operation> batch in batches)
            {
                await BatchRunner.RunAsync(connection, transaction, batch, token);
            }

            await transaction.CommitAsync(token);
        }
        finally
        {
            if (connection != _connection)
            {
                await connection.DisposeAsync();
            }
        }
    }

    /// <summary>Saves in the transaction that the caller began; it ends here, by commit or rollback.</summary>
    private async Task CommitTransactionAsync(List<List<Operation>> batches, CancellationToken token)
    {
        await using NpgsqlTransaction transaction = _transaction!;
        try
        {
            foreach (List<Operation> batch in batches)
            {
                await BatchRunner.RunAsync(Connection, transaction, batch, token);
            }

            await transaction.CommitAsync(token);
        }
        finally
        {
            _transaction = null;
        }
    }
}
