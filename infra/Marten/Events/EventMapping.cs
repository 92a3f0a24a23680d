using System.Reflection;
using JasperFx.Events;

namespace Marten.Events;

/// <summary>One event type and the names under which it is stored.</summary>
internal sealed class EventMapping
{
    private readonly Func<object, IEvent> _wrap;

    public EventMapping(Type type, string alias)
    {
        Type = type;
        Alias = alias;
        DotNetTypeName = EventAlias.DotNetTypeName(type);
        MethodInfo wrap = typeof(EventMapping).GetMethod(nameof(WrapAs), BindingFlags.NonPublic | BindingFlags.Static)!;
        _wrap = wrap.MakeGenericMethod(type).CreateDelegate<Func<object, IEvent>>();
    }

    public Type Type { get; }

    public string Alias { get; }

    public string DotNetTypeName { get; }

    public IEvent Wrap(object data) => Name(_wrap(data));

    public IEvent Name(IEvent @event)
    {
        @event.EventTypeName = Alias;
        @event.DotNetTypeName = DotNetTypeName;
        return @event;
    }

    private static Event<T> WrapAs<T>(object data)
        where T : notnull => new((T)data);
}
