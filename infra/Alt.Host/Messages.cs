using System.Net.Sockets;
using Alt.Activities;
using Marten.Exceptions;
using Npgsql;

namespace Alt.Host;

/// <summary>Failures in the words of one line.</summary>
internal static class Messages
{
    public static string Explain(Exception e) => e switch
    {
        AggregateException { InnerExceptions.Count: 1 } aggregate => Explain(aggregate.InnerExceptions[0]),
        MartenCommandException { InnerException: PostgresException postgres } => Explain(postgres),
        PostgresException postgres => $"PostgreSQL refused: {postgres.MessageText} ({postgres.SqlState})",
        NpgsqlException or SocketException => $"no connection to PostgreSQL: {OneLine(e.Message)}",
        _ => Failures.SentenceOf(e),
    };

    public static string OneLine(string message) =>
        string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
