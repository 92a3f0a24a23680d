namespace JasperFx.Events;

/// <summary>Queues events; nothing is written before the session's SaveChangesAsync.</summary>
public interface IEventOperations
{
    /// <summary>Adds events to a stream, which is created if it does not exist. No events: nothing happens.</summary>
    StreamAction Append(Guid stream, IEnumerable<object> events);

    /// <inheritdoc cref="Append(Guid, IEnumerable{object})"/>
    StreamAction Append(Guid stream, params object[] events);

    /// <inheritdoc cref="Append(Guid, IEnumerable{object})"/>
    StreamAction Append(string stream, IEnumerable<object> events);

    /// <inheritdoc cref="Append(Guid, IEnumerable{object})"/>
    StreamAction Append(string stream, params object[] events);

    /// <summary>Adds events to a stream that must have <paramref name="expectedVersion"/> AFTER this append.</summary>
    StreamAction Append(Guid stream, long expectedVersion, IEnumerable<object> events);

    /// <inheritdoc cref="Append(Guid, long, IEnumerable{object})"/>
    StreamAction Append(Guid stream, long expectedVersion, params object[] events);

    /// <inheritdoc cref="Append(Guid, long, IEnumerable{object})"/>
    StreamAction Append(string stream, long expectedVersion, IEnumerable<object> events);

    /// <inheritdoc cref="Append(Guid, long, IEnumerable{object})"/>
    StreamAction Append(string stream, long expectedVersion, params object[] events);

    /// <summary>Starts a stream that must not exist yet.</summary>
    /// <exception cref="EmptyEventStreamException">No events were given.</exception>
    StreamAction StartStream<TAggregate>(Guid id, params object[] events)
        where TAggregate : class;

    /// <inheritdoc cref="StartStream{TAggregate}(Guid, object[])"/>
    StreamAction StartStream<TAggregate>(string streamKey, params object[] events)
        where TAggregate : class;

    /// <summary>Starts a stream under a generated, time-ordered Guid.</summary>
    StreamAction StartStream<TAggregate>(params object[] events)
        where TAggregate : class;

    /// <inheritdoc cref="StartStream{TAggregate}(Guid, object[])"/>
    StreamAction StartStream(Guid id, IEnumerable<object> events);

    /// <inheritdoc cref="StartStream{TAggregate}(Guid, object[])"/>
    StreamAction StartStream(Guid id, params object[] events);

    /// <inheritdoc cref="StartStream{TAggregate}(Guid, object[])"/>
    StreamAction StartStream(string streamKey, IEnumerable<object> events);

    /// <inheritdoc cref="StartStream{TAggregate}(Guid, object[])"/>
    StreamAction StartStream(string streamKey, params object[] events);
}
