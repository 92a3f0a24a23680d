namespace JasperFx.Events;

/// <summary>Reads streams.</summary>
public interface IQueryEventStore
{
    /// <summary>The events of a stream in order; empty for a missing or archived one.</summary>
    /// <param name="version">Up to and including this version; 0 for all.</param>
    /// <param name="timestamp">Up to and including this time; null for all.</param>
    /// <param name="fromVersion">From this version on.</param>
    Task<IReadOnlyList<IEvent>> FetchStreamAsync(Guid streamId, long version = 0, DateTimeOffset? timestamp = null, long fromVersion = 0, CancellationToken token = default);

    /// <inheritdoc cref="FetchStreamAsync(Guid, long, DateTimeOffset?, long, CancellationToken)"/>
    Task<IReadOnlyList<IEvent>> FetchStreamAsync(string streamKey, long version = 0, DateTimeOffset? timestamp = null, long fromVersion = 0, CancellationToken token = default);

    /// <summary>
    /// Folds a stream's events into a <typeparamref name="T"/>. Without events the result is <paramref name="state"/>;
    /// a version that the stream has not reached gives null.
    /// </summary>
    Task<T?> AggregateStreamAsync<T>(Guid streamId, long version = 0, DateTimeOffset? timestamp = null, T? state = null, long fromVersion = 0, CancellationToken token = default)
        where T : class;

    /// <inheritdoc cref="AggregateStreamAsync{T}(Guid, long, DateTimeOffset?, T?, long, CancellationToken)"/>
    Task<T?> AggregateStreamAsync<T>(string streamKey, long version = 0, DateTimeOffset? timestamp = null, T? state = null, long fromVersion = 0, CancellationToken token = default)
        where T : class;

    /// <summary>The stream's row, archived or not; null if there is none.</summary>
    Task<StreamState?> FetchStreamStateAsync(Guid streamId, CancellationToken token = default);

    /// <inheritdoc cref="FetchStreamStateAsync(Guid, CancellationToken)"/>
    Task<StreamState?> FetchStreamStateAsync(string streamKey, CancellationToken token = default);

    /// <summary>The event with this id; null if there is none.</summary>
    Task<IEvent?> LoadAsync(Guid id, CancellationToken token = default);
}
