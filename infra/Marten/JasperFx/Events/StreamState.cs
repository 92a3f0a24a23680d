namespace JasperFx.Events;

/// <summary>What a stream's own row says.</summary>
public class StreamState
{
    public Guid Id { get; set; }

    public string? Key { get; set; }

    /// <summary>Version of the last event.</summary>
    public long Version { get; set; }

    public Type? AggregateType { get; set; }

    /// <summary>When the stream was last appended to.</summary>
    public DateTimeOffset LastTimestamp { get; set; }

    public DateTimeOffset Created { get; set; }

    public bool IsArchived { get; set; }
}

/// <summary>How a store names its streams; one way per store.</summary>
public enum StreamIdentity
{
    AsGuid,
    AsString,
}
