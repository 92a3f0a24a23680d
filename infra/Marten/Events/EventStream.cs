using JasperFx.Events;

namespace Marten.Events;

/// <inheritdoc cref="IEventStream{T}"/>
internal sealed class EventStream<T>(StreamAction stream, T? aggregate, long startingVersion, EventGraph graph, CancellationToken cancellation) : IEventStream<T>
    where T : class
{
    public T? Aggregate => aggregate;

    public long? StartingVersion => startingVersion;

    public long? CurrentVersion => startingVersion + stream.Events.Count;

    public CancellationToken Cancellation => cancellation;

    public Guid Id => stream.Id;

    public string? Key => stream.Key;

    public IReadOnlyList<IEvent> Events => stream.Events;

    public void AppendOne(object @event) => stream.Add([graph.BuildEvent(@event)]);

    public void AppendMany(params object[] events) => AppendMany((IEnumerable<object>)events);

    public void AppendMany(IEnumerable<object> events) => stream.Add([.. events.Select(graph.BuildEvent)]);
}
