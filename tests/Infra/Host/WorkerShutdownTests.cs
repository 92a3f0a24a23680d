using Alt.Host;

namespace Alt.Tests.Infra.Host;

public sealed class WorkerShutdownTests
{
    private readonly TaskCompletionSource _first = new(), _second = new();

    [Fact]
    public async Task A_shutdown_waits_for_every_queue()
    {
        using var stop = new CancellationTokenSource();
        var seen = new List<CancellationToken>();
        var working = RunAsync(seen, stop.Token);
        await stop.CancelAsync();
        Assert.All(seen, token => Assert.True(token.IsCancellationRequested));

        _first.SetCanceled(stop.Token);
        Assert.False(working.IsCompleted);
        _second.SetCanceled(stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => working);
    }

    [Fact]
    public async Task A_queue_that_fails_ends_the_others_and_its_failure_is_told_when_they_have_ended()
    {
        var seen = new List<CancellationToken>();
        var working = RunAsync(seen, CancellationToken.None);
        _first.SetException(new InvalidOperationException("no namespace"));

        Assert.False(working.IsCompleted);
        Assert.True(seen[1].IsCancellationRequested);
        _second.SetCanceled(seen[1]);
        Assert.Equal("no namespace", (await Assert.ThrowsAsync<InvalidOperationException>(() => working)).Message);
    }

    [Fact]
    public void A_worker_is_ready_when_all_its_queues_are_at_work()
    {
        var seen = new List<CancellationToken>();
        var atWork = 0;
        _ = RunAsync(seen, CancellationToken.None, () => atWork = seen.Count);
        Assert.Equal(2, atWork);
    }

    private Task RunAsync(List<CancellationToken> seen, CancellationToken stop, Action? ready = null)
    {
        // What waits for a part goes on at once where it ends, so that a shutdown that does not wait for the others has ended by then.
        SynchronizationContext.SetSynchronizationContext(null);
        return Worker.UntilOneEndsAsync([Part(_first), Part(_second)], ready ?? (() => { }), stop);

        Func<CancellationToken, Task> Part(TaskCompletionSource end) => token =>
        {
            seen.Add(token);
            return end.Task;
        };
    }
}
