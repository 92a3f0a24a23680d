namespace JasperFx.Events;

/// <summary>Reads and writes streams.</summary>
public interface IEventStoreOperations : IEventOperations, IQueryEventStore
{
    /// <summary>Loads an aggregate to decide on; what is appended to the result is saved only if nobody appended in between.</summary>
    Task<IEventStream<T>> FetchForWriting<T>(Guid id, CancellationToken cancellation = default)
        where T : class;

    /// <inheritdoc cref="FetchForWriting{T}(Guid, CancellationToken)"/>
    Task<IEventStream<T>> FetchForWriting<T>(string key, CancellationToken cancellation = default)
        where T : class;

    /// <summary>As above, and the stream must be at <paramref name="expectedVersion"/> now.</summary>
    /// <exception cref="ConcurrencyException">It is at another version.</exception>
    Task<IEventStream<T>> FetchForWriting<T>(Guid id, long expectedVersion, CancellationToken cancellation = default)
        where T : class;

    /// <inheritdoc cref="FetchForWriting{T}(Guid, long, CancellationToken)"/>
    Task<IEventStream<T>> FetchForWriting<T>(string key, long expectedVersion, CancellationToken cancellation = default)
        where T : class;

    /// <summary>Loads an aggregate and locks its stream until the session is saved or disposed.</summary>
    Task<IEventStream<T>> FetchForExclusiveWriting<T>(Guid id, CancellationToken cancellation = default)
        where T : class;

    /// <inheritdoc cref="FetchForExclusiveWriting{T}(Guid, CancellationToken)"/>
    Task<IEventStream<T>> FetchForExclusiveWriting<T>(string key, CancellationToken cancellation = default)
        where T : class;

    /// <summary>The aggregate as of now: its inline snapshot where there is one, else folded from the events.</summary>
    ValueTask<T?> FetchLatest<T>(Guid id, CancellationToken cancellation = default)
        where T : class;

    /// <inheritdoc cref="FetchLatest{T}(Guid, CancellationToken)"/>
    ValueTask<T?> FetchLatest<T>(string id, CancellationToken cancellation = default)
        where T : class;

    /// <summary>Reads the stream's version now and appends only if it is still the same when the session is saved.</summary>
    Task AppendOptimistic(Guid streamId, CancellationToken token, params object[] events);

    /// <inheritdoc cref="AppendOptimistic(Guid, CancellationToken, object[])"/>
    Task AppendOptimistic(Guid streamId, params object[] events);

    /// <inheritdoc cref="AppendOptimistic(Guid, CancellationToken, object[])"/>
    Task AppendOptimistic(string streamKey, CancellationToken token, params object[] events);

    /// <inheritdoc cref="AppendOptimistic(Guid, CancellationToken, object[])"/>
    Task AppendOptimistic(string streamKey, params object[] events);

    /// <summary>Locks the stream until the session is saved or disposed, and appends.</summary>
    Task AppendExclusive(Guid streamId, CancellationToken token, params object[] events);

    /// <inheritdoc cref="AppendExclusive(Guid, CancellationToken, object[])"/>
    Task AppendExclusive(Guid streamId, params object[] events);

    /// <inheritdoc cref="AppendExclusive(Guid, CancellationToken, object[])"/>
    Task AppendExclusive(string streamKey, CancellationToken token, params object[] events);

    /// <inheritdoc cref="AppendExclusive(Guid, CancellationToken, object[])"/>
    Task AppendExclusive(string streamKey, params object[] events);

    /// <summary>Marks the stream and its events as archived when the session is saved: it reads as empty and refuses appends.</summary>
    void ArchiveStream(Guid streamId);

    /// <inheritdoc cref="ArchiveStream(Guid)"/>
    void ArchiveStream(string streamKey);

    /// <summary>Wraps data as the event that an append of it would write.</summary>
    IEvent BuildEvent(object data);
}
