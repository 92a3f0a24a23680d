using Google.Protobuf;
using Temporalio.Api.History.V1;
using TemporalServer.Engine;
using TemporalServer.Engine.State;

namespace TemporalServer.Rpc;

/// <summary>Cuts histories into pages.</summary>
/// <param name="size">Events per page, unless the caller asks for fewer.</param>
internal sealed class HistoryPages(int size)
{
    // Below the 4 MiB that clients accept in one message.
    private const int PageBytes = 2 * 1024 * 1024;

    /// <param name="wanted">The most events that the caller wants; 0 for any number.</param>
    /// <returns>The page, and the token of the next one (empty after the last).</returns>
    public (History Page, ByteString Next) Cut(WorkflowRun run, HistoryPageToken from, int wanted = 0)
    {
        var last = from.LastEventId > 0 ? Math.Min(from.LastEventId, run.History.Count) : run.History.Count;
        var limit = wanted > 0 ? Math.Min(wanted, size) : size;
        var page = new History();
        var bytes = 0;
        var next = from.NextEventId;
        for (; next <= last && page.Events.Count < limit && bytes < PageBytes; next++)
        {
            var e = run.History[(int)next - 1];
            page.Events.Add(e);
            bytes += e.CalculateSize();
        }

        if (next <= last)
        {
            var token = from.Clone();
            token.NextEventId = next;
            return (page, token.ToByteString());
        }

        if (from.WithTransientTask)
        {
            page.Events.Add(run.TransientEvents());
        }

        return (page, ByteString.Empty);
    }

    public static HistoryPageToken Start(WorkflowRun run, long firstEventId = 1) => new()
    {
        Namespace = run.State.Namespace,
        WorkflowId = run.State.WorkflowId,
        RunId = run.State.RunId,
        NextEventId = firstEventId,
    };

    /// <exception cref="RpcError">INVALID_ARGUMENT.</exception>
    public static HistoryPageToken Read(ByteString token)
    {
        try
        {
            return HistoryPageToken.Parser.ParseFrom(token);
        }
        catch (InvalidProtocolBufferException)
        {
            throw RpcError.InvalidArgument("Invalid NextPageToken.");
        }
    }
}
