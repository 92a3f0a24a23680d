namespace JasperFx.Events;

public enum StreamActionType
{
    /// <summary>The stream must not exist yet.</summary>
    Start,

    /// <summary>The stream may exist.</summary>
    Append,
}

/// <summary>The events that one session is about to add to one stream.</summary>
public class StreamAction
{
    private readonly List<IEvent> _events = [];

    internal StreamAction(Guid id, string? key, StreamActionType actionType)
    {
        Id = id;
        Key = key;
        ActionType = actionType;
    }

    public Guid Id { get; }

    public string? Key { get; }

    public StreamActionType ActionType { get; internal set; }

    public Type? AggregateType { get; set; }

    /// <summary>Alias of the aggregate's type, stored in <c>mt_streams.type</c>.</summary>
    public string? AggregateTypeName { get; internal set; }

    public string TenantId { get; set; } = "*DEFAULT*";

    public IReadOnlyList<IEvent> Events => _events;

    /// <summary>The version that the stream must have before this append; null where it does not matter.</summary>
    public long? ExpectedVersionOnServer { get; set; }

    /// <summary>The stream's version after the append, known after it was saved.</summary>
    public long Version { get; internal set; }

    internal object Identity => (object?)Key ?? Id;

    internal void Add(IEnumerable<IEvent> events) => _events.AddRange(events);

    public override string ToString() => $"{ActionType} {Identity} ({_events.Count} events)";
}
