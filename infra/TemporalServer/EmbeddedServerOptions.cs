namespace TemporalServer;

/// <summary>Settings of an embedded server.</summary>
public sealed class EmbeddedServerOptions
{
    /// <summary>Npgsql connection string of the database that holds all state.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>Schema of the server's tables, created where it is missing. One server at a time works on a schema.</summary>
    /// <value>Default: <c>temporal</c>. Lower-case letters, digits and underscores.</value>
    public string Schema { get; init; } = "temporal";

    /// <summary>IP address to listen on.</summary>
    /// <value>Default: <c>127.0.0.1</c>.</value>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>TLS; null for none. Without TLS, a server that listens on a network exposes everything to it.</summary>
    public ServerTls? Tls { get; init; }

    /// <summary>Key that every call must carry as its bearer token; null for none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Port of the HTTP API (JSON), 0 for a free one, null for none.</summary>
    public int? HttpPort { get; init; }

    /// <summary>Port of gRPC; 0 takes a free one, which <see cref="EmbeddedServer.Address"/> reports.</summary>
    public int Port { get; init; }

    /// <summary>Namespace that is created where it is missing.</summary>
    /// <value>Default: <c>default</c>.</value>
    public string Namespace { get; init; } = "default";

    /// <summary>Events per page of a history.</summary>
    /// <value>Default: 1000.</value>
    public int HistoryPageSize { get; init; } = 1000;

    /// <summary>Whether gzip-compressed requests are accepted. If not, clients continue without compression.</summary>
    /// <value>Default: true.</value>
    public bool AcceptCompression { get; init; } = true;

    /// <summary>What one workflow may use.</summary>
    public ServerLimits Limits { get; init; } = new();

    /// <summary>How long to wait at the start while another server still owns the schema.</summary>
    /// <value>Default: 30 seconds.</value>
    public TimeSpan OwnershipTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The server's clock, for tests that live in another time.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;
}
