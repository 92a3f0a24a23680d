namespace Marten.Exceptions;

/// <summary>A stored event names a .NET type that cannot be loaded, and its alias is not registered.</summary>
public class UnknownEventTypeException(string eventTypeName, long sequence)
    : MartenException($"Unknown event type name alias '{eventTypeName}' at sequence {sequence}. You may need to register this event type through StoreOptions.Events.AddEventType(type)")
{
    public string EventTypeName { get; } = eventTypeName;

    public long Sequence { get; } = sequence;
}

/// <summary>A stored event's JSON does not fit its type.</summary>
public class EventDeserializationFailureException(long sequence, Exception innerException)
    : MartenException($"Event deserialization error on sequence = {sequence}: {innerException.Message}", innerException)
{
    public long Sequence { get; } = sequence;
}
