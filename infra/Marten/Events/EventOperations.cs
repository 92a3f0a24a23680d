using JasperFx.Events;
using Marten.Exceptions;
using Marten.Sessions;
using Npgsql;
using NpgsqlTypes;

namespace Marten.Events;

/// <summary>A change to one stream.</summary>
internal abstract class StreamOperation(EventGraph events, object identity) : Operation
{
    protected EventGraph Events { get; } = events;

    protected NpgsqlParameter IdentityParameter() =>
        new() { Value = identity, NpgsqlDbType = identity is Guid ? NpgsqlDbType.Uuid : NpgsqlDbType.Varchar };

    protected static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Varchar };

    protected static NpgsqlParameter Array<T>(NpgsqlDbType type, IEnumerable<T> values) =>
        new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type };
}

/// <summary>Writes the events of one session to one stream, all in one command with array parameters.</summary>
internal abstract class WriteEvents(EventGraph events, StreamAction stream, JsonSerialization json) : StreamOperation(events, stream.Identity)
{
    protected const string VersionIndex = "pk_mt_events_stream_and_version";
    protected const string StreamKey = "pkey_mt_streams_id";

    protected StreamAction Stream { get; } = stream;

    public static WriteEvents For(EventGraph events, StreamAction stream, JsonSerialization json) =>
        stream.ActionType == StreamActionType.Start ? new StartStream(events, stream, json) : new AppendEvents(events, stream, json);

    protected NpgsqlParameter Ids() => Array(NpgsqlDbType.Uuid, Stream.Events.Select(e => e.Id));

    protected NpgsqlParameter Aliases() => Array(NpgsqlDbType.Varchar, Stream.Events.Select(e => e.EventTypeName));

    protected NpgsqlParameter DotNetTypes() => Array(NpgsqlDbType.Varchar, Stream.Events.Select(e => e.DotNetTypeName));

    protected NpgsqlParameter Bodies() => Array(NpgsqlDbType.Jsonb, Stream.Events.Select(e => json.ToJson(e.Data)));

    protected NpgsqlParameter Timestamps() => Array(NpgsqlDbType.TimestampTz, Stream.Events.Select(e => e.Timestamp.ToUniversalTime()));
}

/// <summary>Starts a stream: its row and its events, whose versions are known.</summary>
internal sealed class StartStream(EventGraph events, StreamAction stream, JsonSerialization json) : WriteEvents(events, stream, json)
{
    public override IEnumerable<NpgsqlBatchCommand> Commands()
    {
        string s = Events.DatabaseSchemaName;
        yield return Command(
            $"insert into {s}.mt_streams (id, type, version, tenant_id) values ($1, $2, $3, $4)",
            IdentityParameter(), Text(Stream.AggregateTypeName), new NpgsqlParameter<long> { TypedValue = Stream.Events.Count }, Text(Stream.TenantId));
        yield return Command(
            $"""
            insert into {s}.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type)
            select nextval('{s}.mt_events_sequence'), g.id, $1, g.position, g.body, g.type, g.at, $2, g.dotnet_type
            from (select * from unnest($3, $4, $5, $6, $7) with ordinality as u (id, type, dotnet_type, body, at, position) order by position) as g
            """,
            IdentityParameter(), Text(Stream.TenantId), Ids(), Aliases(), DotNetTypes(), Bodies(), Timestamps());
    }

    public override Exception? Translate(PostgresException error) =>
        IsDuplicate(error, StreamKey) ? new ExistingStreamIdCollisionException(Stream.Identity, Stream.AggregateType) : null;
}

/// <summary>Appends to a stream through <c>mt_quick_append_events</c>, which also starts it if there is none.</summary>
internal sealed class AppendEvents(EventGraph events, StreamAction stream, JsonSerialization json) : WriteEvents(events, stream, json)
{
    private const string Archived = "MT001";
    private const string UnexpectedVersion = "MT003";

    public override bool HasResult => true;

    public override IEnumerable<NpgsqlBatchCommand> Commands()
    {
        yield return Command(
            $"select {Events.DatabaseSchemaName}.mt_quick_append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            IdentityParameter(), Text(Stream.AggregateTypeName), Text(Stream.TenantId), Ids(), Aliases(), DotNetTypes(), Bodies(),
            Array(NpgsqlDbType.Bytea, new byte[]?[Stream.Events.Count]), Timestamps(),
            new NpgsqlParameter { Value = (object?)Stream.ExpectedVersionOnServer ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
    }

    /// <summary>Fills in the versions and sequence numbers that the function answered: the final version, then one number per event.</summary>
    public override async Task ReadAsync(NpgsqlDataReader reader, CancellationToken token)
    {
        await reader.ReadAsync(token);
        long[] answer = await reader.GetFieldValueAsync<long[]>(0, token);
        Stream.Version = answer[0];
        for (int i = 0; i < Stream.Events.Count; i++)
        {
            Stream.Events[i].Version = answer[0] - Stream.Events.Count + i + 1;
            Stream.Events[i].Sequence = answer[i + 1];
        }
    }

    public override Exception? Translate(PostgresException error)
    {
        if (error.SqlState == Archived)
        {
            return new InvalidStreamOperationException(error.MessageText);
        }

        // A race of two appends is lost at the index; of two that create the stream, at its key.
        return error.SqlState == UnexpectedVersion || IsDuplicate(error, VersionIndex) || IsDuplicate(error, StreamKey)
            ? new EventStreamUnexpectedMaxEventIdException(Stream.Identity, Stream.AggregateType, Stream.ExpectedVersionOnServer ?? -1, -1)
            : null;
    }
}

internal sealed class ArchiveStream(EventGraph events, object identity) : StreamOperation(events, identity)
{
    public override bool HasResult => true;

    public override IEnumerable<NpgsqlBatchCommand> Commands() => [Command($"select {Events.DatabaseSchemaName}.mt_archive_stream($1)", IdentityParameter())];
}
