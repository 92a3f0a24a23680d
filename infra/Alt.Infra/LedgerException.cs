namespace Alt.Infra;

/// <summary>The record itself is damaged. The message is one line for the user: what is wrong where, and what to do.</summary>
public sealed class LedgerException(string message) : Exception(message)
{
    internal static LedgerException Lost(string stream, long version) =>
        new($"the stream {stream} has lost its event {version}; `./alt verify RUN` tells what is damaged, `./alt restore FILE` brings a backup back");
}
