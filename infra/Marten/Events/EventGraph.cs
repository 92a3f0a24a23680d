using System.Collections.Concurrent;
using JasperFx.Events;
using Marten.Exceptions;

namespace Marten.Events;

/// <summary>The event types of a store, and how they are named.</summary>
internal sealed class EventGraph : IEventStoreOptions
{
    private readonly StoreOptions _options;
    private readonly ConcurrentDictionary<Type, EventMapping> _byType = new();
    private readonly ConcurrentDictionary<string, EventMapping> _byAlias = new();
    private readonly ConcurrentDictionary<string, Type> _aggregates = new();
    private string? _schema;

    public EventGraph(StoreOptions options)
    {
        _options = options;
        AddEventType(typeof(Tombstone));
    }

    public StreamIdentity StreamIdentity { get; set; } = StreamIdentity.AsGuid;

    public string DatabaseSchemaName
    {
        get => _schema ?? _options.DatabaseSchemaName;
        set => _schema = value.ToLowerInvariant();
    }

    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Type of <c>mt_streams.id</c>.</summary>
    public string StreamIdType => StreamIdentity == StreamIdentity.AsGuid ? "uuid" : "varchar";

    public IEventStoreOptions AddEventType<TEvent>()
    {
        AddEventType(typeof(TEvent));
        return this;
    }

    public void AddEventType(Type eventType) => MappingFor(eventType);

    public void AddEventTypes(IEnumerable<Type> types)
    {
        foreach (Type type in types)
        {
            AddEventType(type);
        }
    }

    public void MapEventType<TEvent>(string eventTypeName)
        where TEvent : class => MapEventType(typeof(TEvent), eventTypeName);

    public void MapEventType(Type eventType, string eventTypeName)
    {
        if (_byType.TryRemove(eventType, out EventMapping? previous))
        {
            _byAlias.TryRemove(previous.Alias, out _);
        }

        Register(new EventMapping(eventType, eventTypeName));
    }

    public EventMapping MappingFor(Type type) =>
        _byType.TryGetValue(type, out EventMapping? mapping) ? mapping : Register(new EventMapping(type, EventAlias.Of(type)));

    public IEvent BuildEvent(object? eventData)
    {
        ArgumentNullException.ThrowIfNull(eventData);
        return eventData is IEvent wrapped
            ? MappingFor(wrapped.EventType).Name(wrapped)
            : MappingFor(eventData.GetType()).Wrap(eventData);
    }

    /// <summary>The type of a stored event: by its alias, else by the .NET type that its writer named.</summary>
    /// <exception cref="InvalidCastException">The alias is unknown and no .NET type is named.</exception>
    /// <exception cref="UnknownEventTypeException">The alias is unknown and the .NET type cannot be loaded.</exception>
    public EventMapping Resolve(string alias, string? dotNetTypeName, long sequence)
    {
        if (_byAlias.TryGetValue(alias, out EventMapping? mapping))
        {
            return mapping;
        }

        if (dotNetTypeName is null)
        {
            throw new InvalidCastException($"The event type alias '{alias}' at sequence {sequence} is not registered, and column 'mt_dotnet_type' is null.");
        }

        Type type = Type.GetType(dotNetTypeName) ?? throw new UnknownEventTypeException(alias, sequence);
        var resolved = new EventMapping(type, alias);
        _byAlias.TryAdd(alias, resolved);
        return resolved;
    }

    /// <summary>The alias under which streams of an aggregate are kept.</summary>
    public string AggregateAlias(Type type)
    {
        string alias = EventAlias.Of(type);
        _aggregates.TryAdd(alias, type);
        return alias;
    }

    /// <summary>The aggregate type that a stream was started with, where this store has met it.</summary>
    public Type? AggregateType(string alias) =>
        _aggregates.TryGetValue(alias, out Type? type) ? type : _options.Projections.Inline.Keys.FirstOrDefault(aggregate => EventAlias.Of(aggregate) == alias);

    private EventMapping Register(EventMapping mapping)
    {
        EventMapping known = _byAlias.GetOrAdd(mapping.Alias, mapping);
        if (known.Type != mapping.Type)
        {
            // Both would be stored alike, and one would be read as the other.
            throw new InvalidOperationException(
                $"Event types {known.Type.FullName} and {mapping.Type.FullName} have the same alias '{mapping.Alias}'; give one its own by Events.MapEventType.");
        }

        return _byType.GetOrAdd(mapping.Type, known);
    }
}
