namespace Temporalio.Activities;

/// <summary>Cancellation of one activity attempt: the first reason wins.</summary>
internal sealed class ActivityCancellation : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private int reason;

    public CancellationToken Token => source.Token;

    public ActivityCancelReason Reason => (ActivityCancelReason)Volatile.Read(ref reason);

    public void Cancel(ActivityCancelReason why)
    {
        if (Interlocked.CompareExchange(ref reason, (int)why, (int)ActivityCancelReason.None) != (int)ActivityCancelReason.None)
        {
            return;
        }
        // Callbacks of the activity's own code must not run on, or throw into, the thread that brings the news.
        _ = source.CancelAsync();
    }

    public void Dispose() => source.Dispose();
}
