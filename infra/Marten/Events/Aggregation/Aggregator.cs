using System.Collections.Concurrent;
using System.Reflection;
using JasperFx.Events;
using JasperFx.Events.Projections;
using Marten.Documents;

namespace Marten.Events.Aggregation;

/// <summary>
/// Folds events into an aggregate by convention: static Create(event) or a constructor for the first, Apply(event) for the
/// following, ShouldDelete(event) to end it. Apply may return the next state (records) or change the aggregate in place.
/// Events without a method are passed over.
/// </summary>
internal sealed class Aggregator
{
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private static readonly ConcurrentDictionary<Type, Aggregator> Known = new();

    private readonly Type _type;
    private readonly EventMethod[] _create;
    private readonly EventMethod[] _apply;
    private readonly EventMethod[] _shouldDelete;
    private readonly bool _hasDefaultConstructor;
    private readonly MemberAccess? _id;
    private readonly MemberAccess? _version;
    private readonly ConcurrentDictionary<Type, Handlers> _handlers = new();

    private Aggregator(Type type)
    {
        _type = type;
        _apply = MethodsNamed("Apply");
        _create = [.. MethodsNamed("Create"), .. ConstructorsWithEvent()];
        _shouldDelete = MethodsNamed("ShouldDelete");
        _hasDefaultConstructor = type.GetConstructor(Members, []) is not null;
        _id = MemberAccess.Find(type, "Id", typeof(Guid), typeof(string));
        _version = MemberAccess.Find(type, "Version", typeof(int), typeof(long));
        if (_apply.Length == 0 && _create.All(method => method.ReturnType != type))
        {
            throw new InvalidProjectionException($"No matching conventional Apply/Create/ShouldDelete methods for the {type.FullName} aggregate.");
        }
    }

    private sealed record Handlers(EventMethod? Create, EventMethod? Apply, EventMethod? ShouldDelete)
    {
        public bool Any => Create is not null || Apply is not null || ShouldDelete is not null;
    }

    /// <exception cref="InvalidProjectionException">The type has no method that takes an event.</exception>
    public static Aggregator For(Type type) => Known.GetOrAdd(type, static key => new Aggregator(key));

    /// <summary>Whether this event type can change the aggregate.</summary>
    public bool Handles(Type eventType) => HandlersOf(eventType).Any;

    /// <summary>The state after the events; null if there is none, or no longer.</summary>
    public object? Fold(object? state, IReadOnlyList<IEvent> events)
    {
        foreach (IEvent @event in events)
        {
            state = Step(state, @event);
        }

        if (state is not null && events.Count > 0)
        {
            SetIdentityAndVersion(state, events[^1]);
        }

        return state;
    }

    private object? Step(object? state, IEvent @event)
    {
        Handlers handlers = HandlersOf(@event.EventType);
        if (state is null)
        {
            if (handlers.Create is not null)
            {
                return handlers.Create.Invoke(null, @event);
            }

            if (handlers.Apply is null || !_hasDefaultConstructor)
            {
                return null;
            }

            state = Activator.CreateInstance(_type, nonPublic: true)!;
        }

        if (handlers.ShouldDelete?.Invoke(state, @event) is true)
        {
            return null;
        }

        if (handlers.Apply is null)
        {
            return state;
        }

        object? result = handlers.Apply.Invoke(state, @event);
        return handlers.Apply.ReturnType == typeof(void) ? state : result;
    }

    private void SetIdentityAndVersion(object state, IEvent last)
    {
        if (_id is not null)
        {
            object? identity = last.StreamKey is null ? last.StreamId : last.StreamKey;
            if (_id.Type == identity.GetType())
            {
                _id.Set(state, identity);
            }
        }

        _version?.Set(state, _version.Type == typeof(int) ? checked((int)last.Version) : last.Version);
    }

    private Handlers HandlersOf(Type eventType) =>
        _handlers.GetOrAdd(eventType, key => new Handlers(MostSpecific(_create, key), MostSpecific(_apply, key), MostSpecific(_shouldDelete, key)));

    private static EventMethod? MostSpecific(EventMethod[] methods, Type eventType)
    {
        EventMethod? best = null;
        foreach (EventMethod method in methods)
        {
            if (method.EventType.IsAssignableFrom(eventType) && (best is null || best.EventType.IsAssignableFrom(method.EventType)))
            {
                best = method;
            }
        }

        return best;
    }

    private EventMethod[] MethodsNamed(string name) =>
        [.. _type.GetMethods(Members).Where(method => method.Name == name).Select(method => EventMethod.From(method, _type)).OfType<EventMethod>()];

    private IEnumerable<EventMethod> ConstructorsWithEvent() =>
        _type.GetConstructors(BindingFlags.Public | BindingFlags.Instance)
            .Where(constructor => constructor.GetParameters() is [var only] && IsEventLike(only.ParameterType))
            .Select(constructor => EventMethod.From(constructor, _type))
            .OfType<EventMethod>();

    /// <summary>A constructor that takes a number or a string makes an aggregate from something else than an event.</summary>
    private static bool IsEventLike(Type type) => type.IsClass && type != typeof(string) || type.IsInterface;
}
