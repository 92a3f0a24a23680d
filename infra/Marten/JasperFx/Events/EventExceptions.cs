namespace JasperFx.Events;

/// <summary>The stream was not at the version that the append expected.</summary>
public class EventStreamUnexpectedMaxEventIdException : ConcurrencyException
{
    public EventStreamUnexpectedMaxEventIdException(object id, Type? aggregateType, long expected, long actual)
        : base($"Unexpected starting version number for event stream '{id}', expected {expected} but was {actual}", aggregateType, id) =>
        AggregateType = aggregateType;

    public EventStreamUnexpectedMaxEventIdException(string? message)
        : base(message ?? "Unexpected starting version number for event stream", null, null)
    {
    }

    public Type? AggregateType { get; }
}

/// <summary>A stream cannot be started without an event.</summary>
public class EmptyEventStreamException : Exception
{
    public EmptyEventStreamException(string key)
        : base($"A new event stream ('{key}') cannot be started without any events")
    {
    }

    public EmptyEventStreamException(Guid id)
        : this(id.ToString())
    {
    }
}
