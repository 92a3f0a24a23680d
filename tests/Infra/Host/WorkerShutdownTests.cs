using Alt.Host;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Alt.Tests.Infra.Host;

/// <summary>How a worker's host begins and ends, with parts in the place of its queues.</summary>
public sealed class WorkerShutdownTests : IDisposable
{
    private readonly List<string> seen = [];
    private readonly CancellationTokenSource stop = new();
    private readonly Part first;
    private readonly Part second;

    public WorkerShutdownTests() => (first, second) = (new(seen, "first"), new(seen, "second"));

    [Fact]
    public async Task A_shutdown_waits_for_every_queue_before_it_lets_the_models_go()
    {
        var working = WorkAsync();
        await Task.WhenAll(first.AtWork, second.AtWork);
        await stop.CancelAsync();
        await Task.WhenAll(first.Stopping, second.Stopping);

        first.End.SetResult();
        await first.ExecuteTask!;
        Assert.False(working.IsCompleted);
        second.End.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => working);
        Assert.Equal(["ready", "first ended", "second ended", "models let go"], seen);
    }

    [Fact]
    public async Task A_queue_that_fails_ends_the_others_and_its_failure_is_told_when_they_have_ended()
    {
        var working = WorkAsync();
        await Task.WhenAll(first.AtWork, second.AtWork);

        first.End.SetException(new InvalidOperationException("no namespace"));
        await second.Stopping;
        Assert.False(working.IsCompleted);
        second.End.SetResult();

        Assert.Equal("no namespace", (await Assert.ThrowsAsync<InvalidOperationException>(() => working)).Message);
        Assert.Equal(["ready", "second ended", "models let go"], seen);
    }

    [Fact]
    public async Task A_queue_that_ends_by_itself_ends_the_others()
    {
        var working = WorkAsync();
        await Task.WhenAll(first.AtWork, second.AtWork);

        first.End.SetResult();
        await second.Stopping;
        second.End.SetResult();

        await working;
    }

    [Fact]
    public async Task A_worker_that_cannot_begin_is_not_ready()
    {
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(WorkAsync);
        Assert.DoesNotContain("ready", seen);
    }

    [Fact]
    public void An_activity_that_is_stopped_has_the_time_that_it_needs()
    {
        using var host = Worker.Build(NullLoggerFactory.Instance, _ => { });

        Assert.Equal(Timeout.InfiniteTimeSpan, host.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }

    public void Dispose() => stop.Dispose();

    private async Task WorkAsync()
    {
        using var host = Worker.Build(NullLoggerFactory.Instance, services =>
        {
            services.AddSingleton(_ => new Models(seen));
            services.AddSingleton<IHostedService>(first);
            services.AddSingleton<IHostedService>(second);
        });
        host.Services.GetRequiredService<Models>();
        await Worker.UntilOneEndsAsync(host, () => seen.Add("ready"), stop.Token);
    }

    private sealed class Models(List<string> seen) : IDisposable
    {
        public void Dispose() => seen.Add("models let go");
    }

    private sealed class Part(List<string> seen, string name) : BackgroundService
    {
        private readonly TaskCompletionSource atWork = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task AtWork => atWork.Task;

        public Task Stopping => stopping.Task;

        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            atWork.SetResult();
            await using var _ = stoppingToken.Register(stopping.SetResult);
            await End.Task;
            seen.Add($"{name} ended");
        }
    }
}
