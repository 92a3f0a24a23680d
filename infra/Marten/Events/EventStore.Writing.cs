using JasperFx;
using JasperFx.Events;
using Marten.Documents;
using Marten.Events.Aggregation;
using Marten.Exceptions;
using Npgsql;

namespace Marten.Events;

internal sealed partial class EventStore
{
    public Task<IEventStream<T>> FetchForWriting<T>(Guid id, CancellationToken cancellation = default)
        where T : class => FetchForWritingAsync<T>(Check(id), null, locked: false, cancellation);

    public Task<IEventStream<T>> FetchForWriting<T>(string key, CancellationToken cancellation = default)
        where T : class => FetchForWritingAsync<T>(Check(key), null, locked: false, cancellation);

    public Task<IEventStream<T>> FetchForWriting<T>(Guid id, long expectedVersion, CancellationToken cancellation = default)
        where T : class => FetchForWritingAsync<T>(Check(id), expectedVersion, locked: false, cancellation);

    public Task<IEventStream<T>> FetchForWriting<T>(string key, long expectedVersion, CancellationToken cancellation = default)
        where T : class => FetchForWritingAsync<T>(Check(key), expectedVersion, locked: false, cancellation);

    public Task<IEventStream<T>> FetchForExclusiveWriting<T>(Guid id, CancellationToken cancellation = default)
        where T : class => FetchForWritingAsync<T>(Check(id), null, locked: true, cancellation);

    public Task<IEventStream<T>> FetchForExclusiveWriting<T>(string key, CancellationToken cancellation = default)
        where T : class => FetchForWritingAsync<T>(Check(key), null, locked: true, cancellation);

    public async ValueTask<T?> FetchLatest<T>(Guid id, CancellationToken cancellation = default)
        where T : class => (T?)(await FetchAggregateAsync(typeof(T), Check(id), locked: false, cancellation)).Aggregate;

    public async ValueTask<T?> FetchLatest<T>(string id, CancellationToken cancellation = default)
        where T : class => (T?)(await FetchAggregateAsync(typeof(T), Check(id), locked: false, cancellation)).Aggregate;

    /// <summary>The stream's version, 0 if there is none, and its aggregate: from its snapshot if it has one that is up to date, else from its events.</summary>
    internal async Task<(long Version, object? Aggregate)> FetchAggregateAsync(Type type, object identity, bool locked, CancellationToken token)
    {
        await session.EnsureEventsAsync(token);
        if (session.InlineAggregator(type) is not { } aggregator)
        {
            return await FetchLiveAsync(Aggregator.For(type), identity, locked, token);
        }

        DocumentMapping mapping = await session.DocumentAsync(type, token);
        (long version, long? snapshotVersion, object? snapshot) = await FetchSnapshotAsync(mapping, identity, locked, token);

        // A missing snapshot may be one that ShouldDelete removed, or one of a stream that is older than its projection.
        return snapshotVersion == version || version == 0 ? (version, snapshot) : await FetchLiveAsync(aggregator, identity, locked, token);
    }

    private async Task<(long Version, object? Aggregate)> FetchLiveAsync(Aggregator aggregator, object identity, bool locked, CancellationToken token)
    {
        return await session.ReadAsync([SelectVersion(identity, locked), SelectStream(identity)], ReadVersionAndEventsAsync, token);

        async Task<(long, object?)> ReadVersionAndEventsAsync(NpgsqlDataReader reader)
        {
            long version = await reader.ReadAsync(token) ? reader.GetInt64(0) : 0;
            await reader.NextResultAsync(token);
            return (version, aggregator.Fold(null, await EventReader.ReadAllAsync(reader, session, token)));
        }
    }

    private async Task<(long Version, long? SnapshotVersion, object? Snapshot)> FetchSnapshotAsync(DocumentMapping mapping, object identity, bool locked, CancellationToken token)
    {
        var command = new NpgsqlBatchCommand(
            $"select s.version, d.data, d.mt_version from {Graph.DatabaseSchemaName}.mt_streams as s left join {mapping.Table} as d on d.id = s.id where s.id = $1{(locked ? " for update of s" : "")}");
        command.Parameters.Add(IdentityParameter(identity));
        return await session.ReadAsync([command], ReadSnapshotAsync, token);

        async Task<(long, long?, object?)> ReadSnapshotAsync(NpgsqlDataReader reader)
        {
            if (!await reader.ReadAsync(token))
            {
                return (0, null, null);
            }

            return reader.IsDBNull(1)
                ? (reader.GetInt64(0), null, null)
                : (reader.GetInt64(0), reader.GetInt64(2), session.ReadDocument(mapping, reader, column: 1));
        }
    }

    private async Task<IEventStream<T>> FetchForWritingAsync<T>(object identity, long? expectedVersion, bool locked, CancellationToken token)
        where T : class
    {
        if (locked)
        {
            await session.BeginTransactionAsync(token);
        }

        (long version, object? aggregate) = await FetchAggregateAsync(typeof(T), identity, locked, token);
        if (expectedVersion is { } expected && expected != version)
        {
            throw new ConcurrencyException($"Expected the existing version to be {expected}, but was {version}", typeof(T), identity);
        }

        StreamAction stream = Tracked(identity) ?? Track(identity, version == 0 ? StreamActionType.Start : StreamActionType.Append);
        stream.AggregateType = typeof(T);
        stream.ExpectedVersionOnServer = version;
        return new EventStream<T>(stream, (T?)aggregate, version, Graph, token);
    }

    /// <summary>Appends on the version that the stream has now, which nobody may have changed when the session is saved.</summary>
    private async Task AppendAtCurrentVersionAsync(object identity, bool locked, object[] events, CancellationToken token)
    {
        await session.EnsureEventsAsync(token);
        if (locked)
        {
            await session.BeginTransactionAsync(token);
        }

        long? version = await session.ReadAsync<long?>(
            [SelectVersion(identity, locked)], async reader => await reader.ReadAsync(token) ? reader.GetInt64(0) : null, token);
        StreamAction stream = Append(identity, events);
        stream.ExpectedVersionOnServer = version ?? throw new NonExistentStreamException(identity);
    }

    private NpgsqlBatchCommand SelectVersion(object identity, bool locked)
    {
        var command = new NpgsqlBatchCommand($"select version from {Graph.DatabaseSchemaName}.mt_streams where id = $1{(locked ? " for update" : "")}");
        command.Parameters.Add(IdentityParameter(identity));
        return command;
    }
}
