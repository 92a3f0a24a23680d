using System.Reflection;
using JasperFx.Events;

namespace Marten.Events.Aggregation;

/// <summary>One Create, Apply or ShouldDelete method (or constructor) of an aggregate, and which event it takes.</summary>
internal sealed class EventMethod
{
    private readonly MethodBase _method;
    private readonly ParameterInfo[] _parameters;

    private EventMethod(MethodBase method, ParameterInfo[] parameters, Type eventType)
    {
        _method = method;
        _parameters = parameters;
        EventType = eventType;
    }

    /// <summary>The event type in the signature; may be a base type or interface of the events themselves.</summary>
    public Type EventType { get; }

    public Type ReturnType => (_method as MethodInfo)?.ReturnType ?? _method.DeclaringType!;

    /// <summary>The method as one that takes an event, or null if its parameters say otherwise.</summary>
    public static EventMethod? From(MethodBase method, Type aggregate)
    {
        ParameterInfo[] parameters = method.GetParameters();
        Type[] eventTypes = [.. parameters.Select(parameter => EventTypeOf(parameter.ParameterType, aggregate)).OfType<Type>()];
        return eventTypes.Length == 1 ? new EventMethod(method, parameters, eventTypes[0]) : null;
    }

    public object? Invoke(object? aggregate, IEvent @event)
    {
        object?[] arguments = [.. _parameters.Select(parameter => Argument(parameter.ParameterType, aggregate, @event))];
        return _method is ConstructorInfo constructor
            ? constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, arguments, null)
            : _method.Invoke(_method.IsStatic ? null : aggregate, BindingFlags.DoNotWrapExceptions, null, arguments, null);
    }

    private static object? Argument(Type parameter, object? aggregate, IEvent @event)
    {
        if (parameter.IsInstanceOfType(@event))
        {
            return @event;
        }

        return parameter.IsInstanceOfType(@event.Data) ? @event.Data : aggregate;
    }

    /// <summary>E for a parameter of type E or IEvent&lt;E&gt;; null for the aggregate itself and for plain IEvent.</summary>
    private static Type? EventTypeOf(Type parameter, Type aggregate)
    {
        if (parameter == aggregate || parameter == typeof(IEvent))
        {
            return null;
        }

        return parameter.IsGenericType && parameter.GetGenericTypeDefinition() == typeof(IEvent<>)
            ? parameter.GetGenericArguments()[0]
            : parameter;
    }
}
