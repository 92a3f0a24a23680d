using System.Text.Json;
using JasperFx.Events;
using Marten.Exceptions;
using Marten.Sessions;
using Npgsql;

namespace Marten.Events;

/// <summary>Rows of <c>mt_events</c> as events.</summary>
internal static class EventReader
{
    public const string Columns = "d.data, d.type, d.mt_dotnet_type, d.seq_id, d.id, d.stream_id, d.version, d.timestamp, d.tenant_id, d.is_archived, d.bdata is not null";

    /// <exception cref="UnknownEventTypeException">An event's type cannot be found.</exception>
    /// <exception cref="EventDeserializationFailureException">An event's JSON does not fit its type.</exception>
    public static async Task<List<IEvent>> ReadAllAsync(NpgsqlDataReader reader, DocumentSession session, CancellationToken token)
    {
        var events = new List<IEvent>();
        while (await reader.ReadAsync(token))
        {
            events.Add(Read(reader, session.EventGraph, session.Json));
        }

        return events;
    }

    private static IEvent Read(NpgsqlDataReader reader, EventGraph graph, JsonSerialization json)
    {
        long sequence = reader.GetInt64(3);
        EventMapping mapping = graph.Resolve(reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2), sequence);
        if (reader.GetBoolean(10))
        {
            throw new NotSupportedException($"The event '{mapping.Alias}' at sequence {sequence} is stored in binary form, which needs the official library.");
        }

        IEvent @event = mapping.Wrap(Data(reader, mapping, json, sequence));
        @event.Sequence = sequence;
        @event.Id = reader.GetGuid(4);
        if (graph.StreamIdentity == StreamIdentity.AsGuid)
        {
            @event.StreamId = reader.GetGuid(5);
        }
        else
        {
            @event.StreamKey = reader.GetString(5);
        }

        @event.Version = reader.GetInt64(6);
        @event.Timestamp = reader.GetFieldValue<DateTimeOffset>(7);
        @event.TenantId = reader.GetString(8);
        @event.IsArchived = reader.GetBoolean(9);
        return @event;
    }

    private static object Data(NpgsqlDataReader reader, EventMapping mapping, JsonSerialization json, long sequence)
    {
        try
        {
            return json.FromJson(mapping.Type, reader.GetFieldValue<byte[]>(0));
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            throw new EventDeserializationFailureException(sequence, error);
        }
    }
}
