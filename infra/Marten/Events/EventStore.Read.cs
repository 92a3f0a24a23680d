using JasperFx.Events;
using Marten.Events.Aggregation;
using Npgsql;
using NpgsqlTypes;

namespace Marten.Events;

internal sealed partial class EventStore
{
    public Task<IReadOnlyList<IEvent>> FetchStreamAsync(Guid streamId, long version = 0, DateTimeOffset? timestamp = null, long fromVersion = 0, CancellationToken token = default) =>
        FetchAsync(Check(streamId), version, timestamp, fromVersion, token);

    public Task<IReadOnlyList<IEvent>> FetchStreamAsync(string streamKey, long version = 0, DateTimeOffset? timestamp = null, long fromVersion = 0, CancellationToken token = default) =>
        FetchAsync(Check(streamKey), version, timestamp, fromVersion, token);

    public Task<T?> AggregateStreamAsync<T>(Guid streamId, long version = 0, DateTimeOffset? timestamp = null, T? state = null, long fromVersion = 0, CancellationToken token = default)
        where T : class => AggregateAsync(Check(streamId), version, timestamp, state, fromVersion, token);

    public Task<T?> AggregateStreamAsync<T>(string streamKey, long version = 0, DateTimeOffset? timestamp = null, T? state = null, long fromVersion = 0, CancellationToken token = default)
        where T : class => AggregateAsync(Check(streamKey), version, timestamp, state, fromVersion, token);

    public Task<StreamState?> FetchStreamStateAsync(Guid streamId, CancellationToken token = default) => FetchStateAsync(Check(streamId), token);

    public Task<StreamState?> FetchStreamStateAsync(string streamKey, CancellationToken token = default) => FetchStateAsync(Check(streamKey), token);

    public async Task<IEvent?> LoadAsync(Guid id, CancellationToken token = default)
    {
        await session.EnsureEventsAsync(token);
        var command = new NpgsqlBatchCommand($"select {EventReader.Columns} from {Graph.DatabaseSchemaName}.mt_events as d where d.id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        List<IEvent> found = await session.ReadAsync([command], reader => EventReader.ReadAllAsync(reader, session, token), token);
        return found.FirstOrDefault();
    }

    internal async Task<IReadOnlyList<IEvent>> FetchAsync(object identity, long version, DateTimeOffset? timestamp, long fromVersion, CancellationToken token)
    {
        await session.EnsureEventsAsync(token);
        return await session.ReadAsync([SelectStream(identity, version, timestamp, fromVersion)], reader => EventReader.ReadAllAsync(reader, session, token), token);
    }

    private async Task<T?> AggregateAsync<T>(object identity, long version, DateTimeOffset? timestamp, T? state, long fromVersion, CancellationToken token)
        where T : class
    {
        IReadOnlyList<IEvent> events = await FetchAsync(identity, version, timestamp, fromVersion, token);
        if (events.Count == 0)
        {
            return state;
        }

        return version > events[^1].Version ? null : (T?)Aggregator.For(typeof(T)).Fold(state, events);
    }

    private async Task<StreamState?> FetchStateAsync(object identity, CancellationToken token)
    {
        await session.EnsureEventsAsync(token);
        var command = new NpgsqlBatchCommand($"select version, timestamp, created, is_archived, type from {Graph.DatabaseSchemaName}.mt_streams where id = $1");
        command.Parameters.Add(IdentityParameter(identity));
        return await session.ReadAsync([command], ReadStateAsync, token);

        async Task<StreamState?> ReadStateAsync(NpgsqlDataReader reader) =>
            await reader.ReadAsync(token)
                ? new StreamState
                {
                    Id = identity is Guid id ? id : Guid.Empty,
                    Key = identity as string,
                    Version = reader.GetInt64(0),
                    LastTimestamp = reader.GetFieldValue<DateTimeOffset>(1),
                    Created = reader.GetFieldValue<DateTimeOffset>(2),
                    IsArchived = reader.GetBoolean(3),
                    AggregateType = reader.IsDBNull(4) ? null : Graph.AggregateType(reader.GetString(4)),
                }
                : null;
    }

    private NpgsqlBatchCommand SelectStream(object identity, long version = 0, DateTimeOffset? timestamp = null, long fromVersion = 0)
    {
        var command = new NpgsqlBatchCommand();
        string where = "d.stream_id = $1 and d.is_archived = false";
        command.Parameters.Add(IdentityParameter(identity));
        if (version > 0)
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = version });
            where += $" and d.version <= ${command.Parameters.Count}";
        }

        if (fromVersion > 0)
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = fromVersion });
            where += $" and d.version >= ${command.Parameters.Count}";
        }

        if (timestamp is { } time)
        {
            command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = time.ToUniversalTime() });
            where += $" and d.timestamp <= ${command.Parameters.Count}";
        }

        command.CommandText = $"select {EventReader.Columns} from {Graph.DatabaseSchemaName}.mt_events as d where {where} order by d.version";
        return command;
    }

    private static NpgsqlParameter IdentityParameter(object identity) =>
        new() { Value = identity, NpgsqlDbType = identity is Guid ? NpgsqlDbType.Uuid : NpgsqlDbType.Varchar };
}
