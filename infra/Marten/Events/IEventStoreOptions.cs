using JasperFx.Events;

namespace Marten.Events;

/// <summary>How a store keeps its events.</summary>
public interface IEventStoreOptions
{
    /// <summary>Whether streams are named by Guid or by string.</summary>
    /// <value>Default <see cref="StreamIdentity.AsGuid"/>.</value>
    StreamIdentity StreamIdentity { get; set; }

    /// <summary>Schema of the event tables.</summary>
    /// <value>Default: that of the store.</value>
    string DatabaseSchemaName { get; set; }

    /// <summary>The clock that stamps events.</summary>
    TimeProvider TimeProvider { get; set; }

    /// <summary>Makes an event type known, so that its alias is understood before the first append of it.</summary>
    IEventStoreOptions AddEventType<TEvent>();

    /// <inheritdoc cref="AddEventType{TEvent}"/>
    void AddEventType(Type eventType);

    /// <inheritdoc cref="AddEventType{TEvent}"/>
    void AddEventTypes(IEnumerable<Type> types);

    /// <summary>Stores an event type under a name of its own, which outlives the name of the class.</summary>
    void MapEventType<TEvent>(string eventTypeName)
        where TEvent : class;

    /// <inheritdoc cref="MapEventType{TEvent}(string)"/>
    void MapEventType(Type eventType, string eventTypeName);
}
