using Grpc.Core;

namespace TemporalServer.Serving;

/// <summary>Begins the waits of calls that answer when something happens.</summary>
/// <param name="stopping">Cancelled when the server stops, which ends every wait.</param>
internal sealed class LongPolls(CancellationToken stopping)
{
    /// <summary>A wait that ends before the call's deadline, at the latest after <paramref name="longest"/>, or with the call.</summary>
    public LongPoll Begin(ServerCallContext call, TimeSpan longest) => new(call, longest, stopping);
}

/// <summary>The wait of one call.</summary>
internal sealed class LongPoll : IDisposable
{
    // The server must send its answer before the caller's deadline.
    private static readonly TimeSpan AnswerMargin = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _end;
    private readonly CancellationToken _caller, _stopping;

    public LongPoll(ServerCallContext call, TimeSpan longest, CancellationToken stopping)
    {
        (_caller, _stopping) = (call.CancellationToken, stopping);
        var left = call.Deadline - DateTime.UtcNow - AnswerMargin;
        _end = CancellationTokenSource.CreateLinkedTokenSource(_caller, stopping);
        _end.CancelAfter(left < TimeSpan.Zero ? TimeSpan.Zero : left < longest ? left : longest);
    }

    /// <summary>Cancelled when the wait is over, for whichever reason.</summary>
    public CancellationToken Over => _end.Token;

    /// <summary>Whether the caller is gone or the server ends, so that no caller would receive an answer.</summary>
    public bool IsAbandoned => _caller.IsCancellationRequested || _stopping.IsCancellationRequested;

    /// <exception cref="OperationCanceledException">No caller would receive an answer.</exception>
    public void ThrowIfAbandoned()
    {
        _caller.ThrowIfCancellationRequested();
        _stopping.ThrowIfCancellationRequested();
    }

    public void Dispose() => _end.Dispose();
}
