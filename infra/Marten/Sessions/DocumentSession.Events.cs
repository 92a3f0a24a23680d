using Marten.Events;

namespace Marten.Sessions;

internal sealed partial class DocumentSession
{
    private EventStore? _events;

    public IEventStoreOperations Events => _events ??= new EventStore(this);

    IQueryEventStore IQuerySession.Events => Events;

    internal IReadOnlyList<JasperFx.Events.StreamAction> Streams => _streams;

    internal void Track(JasperFx.Events.StreamAction stream) => _streams.Add(stream);

    internal void Queue(Operation operation) => _operations.Add(operation);

    internal Documents.DocumentMapping MappingFor(Type type) => store.Schema.MappingFor(type);

    internal Marten.Events.Aggregation.Aggregator? InlineAggregator(Type type) => store.Options.Projections.Inline.GetValueOrDefault(type);

    internal IEnumerable<(Type Type, Marten.Events.Aggregation.Aggregator Aggregator)> InlineAggregators =>
        store.Options.Projections.Inline.Select(pair => (pair.Key, pair.Value));
}
