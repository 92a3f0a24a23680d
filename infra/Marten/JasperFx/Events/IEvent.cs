namespace JasperFx.Events;

/// <summary>An event with what the store knows about it.</summary>
public interface IEvent
{
    Guid Id { get; set; }

    /// <summary>Position in its stream, 1 for the first.</summary>
    long Version { get; set; }

    /// <summary>Position among all events of the store. Increasing, with gaps; 0 for one that was just saved by StartStream.</summary>
    long Sequence { get; set; }

    /// <summary>The fact itself.</summary>
    object Data { get; }

    /// <summary>The stream, in a store that names its streams by Guid.</summary>
    Guid StreamId { get; set; }

    /// <summary>The stream, in a store that names its streams by string.</summary>
    string? StreamKey { get; set; }

    DateTimeOffset Timestamp { get; set; }

    string TenantId { get; set; }

    Type EventType { get; }

    /// <summary>The stored alias of the event's type, for example <c>members_joined</c>.</summary>
    string EventTypeName { get; set; }

    /// <summary>Type and assembly, as stored in <c>mt_dotnet_type</c>.</summary>
    string DotNetTypeName { get; set; }

    bool IsArchived { get; set; }

    string? AggregateTypeName { get; set; }
}

/// <summary>An event whose data is of type <typeparamref name="T"/>.</summary>
public interface IEvent<out T> : IEvent
    where T : notnull
{
    new T Data { get; }
}
