namespace JasperFx.Events.Projections;

/// <summary>When a snapshot of an aggregate is brought up to date.</summary>
public enum SnapshotLifecycle
{
    /// <summary>In the transaction that appends its events.</summary>
    Inline,

    /// <summary>Later, by a daemon. Only the official library has one.</summary>
    Async,
}
