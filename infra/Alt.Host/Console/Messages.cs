using System.Net.Sockets;
using Alt.Activities;

namespace Alt.Host;

/// <summary>Failures as one-line messages.</summary>
internal static class Messages
{
    public static string Explain(Exception e) => e switch
    {
        SocketException => $"no connection to PostgreSQL: {OneLine(e.Message)}",
        _ => Failures.SentenceOf(e),
    };

    public static string OneLine(string message) =>
        string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
