namespace Marten.Exceptions;

/// <summary>StartStream met a stream of the same identity.</summary>
public class ExistingStreamIdCollisionException(object id, Type? aggregateType)
    : MartenException($"Stream #{id} already exists in the database")
{
    public object Id { get; } = id;

    public Type? AggregateType { get; } = aggregateType;
}

/// <summary>An optimistic or exclusive append met no stream.</summary>
public class NonExistentStreamException(object id) : MartenException($"Attempt to append to a nonexistent event stream '{id}'")
{
    public object Id { get; } = id;
}

/// <summary>The stream does not take events, mostly because it is archived.</summary>
public class InvalidStreamOperationException(string message) : MartenException(message);

/// <summary>Another session holds the stream's lock.</summary>
public class StreamLockedException(object streamId, Exception? innerException)
    : MartenException($"Stream '{streamId}' may be locked for updates", innerException);
