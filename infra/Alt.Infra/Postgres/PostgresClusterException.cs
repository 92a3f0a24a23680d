namespace Alt.Infra;

/// <summary>The private PostgreSQL cluster cannot be used. The message is one line: what failed, what it said, what to do.</summary>
public sealed class PostgresClusterException(string message, Exception? inner = null) : Exception(message, inner);
