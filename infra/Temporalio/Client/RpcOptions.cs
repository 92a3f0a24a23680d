namespace Temporalio.Client;

/// <summary>Options of one call to the server.</summary>
public class RpcOptions : ICloneable
{
    /// <summary>
    /// Whether the call is repeated, with growing waits for about ten seconds, when the server cannot be reached or is busy. Default: true for the
    /// methods of clients and handles, false for raw services.
    /// </summary>
    public bool? Retry { get; set; }

    /// <summary>Headers of this call, which override those of the connection.</summary>
    public IEnumerable<KeyValuePair<string, string>>? Metadata { get; set; }

    /// <summary>Longest time of the call. Default: as the server does.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>Cancels the call.</summary>
    public CancellationToken? CancellationToken { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}
