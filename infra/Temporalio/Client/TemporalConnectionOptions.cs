using Microsoft.Extensions.Logging;

namespace Temporalio.Client;

/// <summary>How to reach a server.</summary>
public class TemporalConnectionOptions : ICloneable
{
    /// <summary>Options without an address.</summary>
    public TemporalConnectionOptions()
    {
    }

    /// <summary>Options for an address.</summary>
    /// <param name="targetHost">Host and port, such as <c>localhost:7233</c>.</param>
    public TemporalConnectionOptions(string targetHost) => TargetHost = targetHost;

    /// <summary>Host and port, such as <c>localhost:7233</c>.</summary>
    public string? TargetHost { get; set; }

    /// <summary>TLS. Default: none, but TLS with the system's authorities where <see cref="ApiKey"/> is set and the host is another machine.</summary>
    public TlsOptions? Tls { get; set; }

    /// <summary>Headers of all calls.</summary>
    public IReadOnlyCollection<KeyValuePair<string, string>>? RpcMetadata { get; set; }

    /// <summary>API key, sent as bearer token with all calls.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Name of this process in histories and task queues. Default: process ID and host name.</summary>
    public string? Identity { get; set; }

    /// <summary>Pings that find out about dead connections. Default: on.</summary>
    public KeepAliveOptions? KeepAlive { get; set; } = new();

    internal ILoggerFactory? ConnectionLoggerFactory { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}

/// <summary>HTTP/2 pings that find out about dead connections.</summary>
public class KeepAliveOptions : ICloneable
{
    /// <summary>Time between pings. Default 30 seconds.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest wait for the answer. Default 15 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}
