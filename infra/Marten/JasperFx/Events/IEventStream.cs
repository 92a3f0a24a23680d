namespace JasperFx.Events;

/// <summary>An aggregate as it was fetched for writing, and the events to append to its stream.</summary>
public interface IEventStream<out T>
    where T : notnull
{
    /// <summary>The aggregate at <see cref="StartingVersion"/>; null for a stream without events.</summary>
    T? Aggregate { get; }

    /// <summary>The stream's version when it was fetched; 0 for a missing one.</summary>
    long? StartingVersion { get; }

    /// <summary><see cref="StartingVersion"/> and the events appended since.</summary>
    long? CurrentVersion { get; }

    CancellationToken Cancellation { get; }

    Guid Id { get; }

    string? Key { get; }

    /// <summary>The events appended since.</summary>
    IReadOnlyList<IEvent> Events { get; }

    void AppendOne(object @event);

    void AppendMany(params object[] events);

    void AppendMany(IEnumerable<object> events);
}
