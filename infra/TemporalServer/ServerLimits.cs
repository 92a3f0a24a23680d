namespace TemporalServer;

/// <summary>What one workflow may use of the server. The defaults are those of Temporal's server.</summary>
public sealed record ServerLimits
{
    /// <summary>Events of a history; a run that has more is terminated.</summary>
    /// <value>Default: 51,200.</value>
    public int HistoryEvents { get; init; } = 50 * 1024;

    /// <summary>Bytes of a history; a run that has more is terminated.</summary>
    /// <value>Default: 50 MiB.</value>
    public long HistoryBytes { get; init; } = 50L * 1024 * 1024;

    /// <summary>Bytes of one input, result, failure, details or memo.</summary>
    /// <value>Default: 2 MiB.</value>
    public int PayloadBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>Open activities of a run; the same number holds for its open children, signals and cancel requests to others.</summary>
    /// <value>Default: 2,000.</value>
    public int Pending { get; init; } = 2_000;

    /// <summary>Signals that a run accepts in total.</summary>
    /// <value>Default: 10,000.</value>
    public int Signals { get; init; } = 10_000;

    /// <summary>Updates of a run that are not completed yet.</summary>
    /// <value>Default: 10.</value>
    public int OpenUpdates { get; init; } = 10;

    /// <summary>Updates that a run accepts in total.</summary>
    /// <value>Default: 2,000.</value>
    public int Updates { get; init; } = 2_000;
}
