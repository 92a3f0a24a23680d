namespace JasperFx.Events;

/// <summary>An event and its metadata. Its id is random unless the caller sets one.</summary>
public class Event<T>(T data) : IEvent<T>
    where T : notnull
{
    public T Data { get; set; } = data;

    object IEvent.Data => Data;

    public Guid Id { get; set; } = Guid.NewGuid();

    public long Version { get; set; }

    public long Sequence { get; set; }

    public Guid StreamId { get; set; }

    public string? StreamKey { get; set; }

    public DateTimeOffset Timestamp { get; set; }

    public string TenantId { get; set; } = "*DEFAULT*";

    public Type EventType => typeof(T);

    public string EventTypeName { get; set; } = "";

    public string DotNetTypeName { get; set; } = "";

    public bool IsArchived { get; set; }

    public string? AggregateTypeName { get; set; }
}

/// <summary>Wraps data as an event when its id or time must be chosen by the caller.</summary>
public static class Event
{
    public static IEvent<T> For<T>(T data)
        where T : notnull => new Event<T>(data);

    public static IEvent<T> AsEvent<T>(this T data)
        where T : notnull => new Event<T>(data);

    public static IEvent AtTimestamp(this IEvent @event, DateTimeOffset timestamp)
    {
        @event.Timestamp = timestamp;
        return @event;
    }
}

/// <summary>
/// What the official library leaves where a failed append had reserved sequence numbers, in a stream of its own.
/// It says nothing; readers of all events skip it.
/// </summary>
public sealed class Tombstone;
