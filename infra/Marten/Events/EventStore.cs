using JasperFx.Events;
using Marten.Sessions;

namespace Marten.Events;

/// <summary>The streams of one session's store.</summary>
internal sealed partial class EventStore(DocumentSession session) : IEventStoreOperations
{
    private EventGraph Graph => session.EventGraph;

    public IEvent BuildEvent(object data) => Graph.BuildEvent(data);

    public void ArchiveStream(Guid streamId) => session.Queue(new ArchiveStream(Graph, Check(streamId)));

    public void ArchiveStream(string streamKey) => session.Queue(new ArchiveStream(Graph, Check(streamKey)));

    /// <summary>Queues events for a stream, together with those that the session has for it already.</summary>
    internal StreamAction Append(object identity, IEnumerable<object> events)
    {
        StreamAction stream = Tracked(identity) ?? Track(identity, StreamActionType.Append);
        stream.Add(Build(events));
        return stream;
    }

    private StreamAction Append(object identity, long expectedVersion, IEnumerable<object> events)
    {
        StreamAction stream = Append(identity, events);
        if (identity is Guid && expectedVersion < stream.Events.Count)
        {
            throw new ArgumentOutOfRangeException(nameof(expectedVersion), expectedVersion, $"The stream cannot have version {expectedVersion} after {stream.Events.Count} events.");
        }

        stream.ExpectedVersionOnServer = expectedVersion - stream.Events.Count;
        return stream;
    }

    private StreamAction Start(object identity, Type? aggregateType, IEnumerable<object> events)
    {
        IEvent[] built = [.. Build(events)];
        if (built.Length == 0)
        {
            throw identity is Guid id ? new EmptyEventStreamException(id) : new EmptyEventStreamException((string)identity);
        }

        StreamAction stream = Track(identity, StreamActionType.Start);
        stream.AggregateType = aggregateType;
        stream.Add(built);
        return stream;
    }

    private IEnumerable<IEvent> Build(IEnumerable<object> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        return [.. events.Select(Graph.BuildEvent)];
    }

    private StreamAction? Tracked(object identity) => session.Streams.FirstOrDefault(stream => stream.Identity.Equals(identity));

    private StreamAction Track(object identity, StreamActionType type)
    {
        var stream = new StreamAction(identity is Guid id ? id : Guid.Empty, identity as string, type);
        session.Track(stream);
        return stream;
    }

    private object Check(Guid id) => Graph.StreamIdentity == StreamIdentity.AsGuid
        ? id
        : throw new InvalidOperationException("This Marten event store is configured to identify streams with strings");

    private object Check(string key)
    {
        if (Graph.StreamIdentity != StreamIdentity.AsString)
        {
            throw new InvalidOperationException("This Marten event store is configured to identify streams with Guids");
        }

        ArgumentException.ThrowIfNullOrEmpty(key);
        return key;
    }

    private object CheckNew(Guid id) => id == Guid.Empty
        ? throw new ArgumentOutOfRangeException(nameof(id), "Cannot use an empty Guid as the stream id")
        : Check(id);
}
