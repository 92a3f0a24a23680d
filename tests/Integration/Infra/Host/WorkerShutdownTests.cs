using Alt.Host;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Alt.Tests.Infra.Host;

/// <summary>How a worker's host starts and stops, with stand-ins for its queues.</summary>
public sealed class WorkerShutdownTests : IDisposable
{
    private readonly List<string> _seen = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Part _first;
    private readonly Part _second;

    public WorkerShutdownTests() => (_first, _second) = (new(_seen, "first"), new(_seen, "second"));

    [Fact]
    public async Task A_shutdown_waits_for_every_queue_before_it_lets_the_models_go()
    {
        var working = WorkAsync();
        await Task.WhenAll(_first.AtWork, _second.AtWork);
        await _stop.CancelAsync();
        await Task.WhenAll(_first.Stopping, _second.Stopping);

        _first.End.SetResult();
        await _first.ExecuteTask!;
        Assert.False(working.IsCompleted);
        _second.End.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => working);
        Assert.Equal(["ready", "first ended", "second ended", "models let go"], _seen);
    }

    [Fact]
    public async Task A_queue_that_fails_ends_the_others_and_its_failure_is_told_when_they_have_ended()
    {
        var working = WorkAsync();
        await Task.WhenAll(_first.AtWork, _second.AtWork);

        _first.End.SetException(new InvalidOperationException("no namespace"));
        await _second.Stopping;
        Assert.False(working.IsCompleted);
        _second.End.SetResult();

        Assert.Equal("no namespace", (await Assert.ThrowsAsync<InvalidOperationException>(() => working)).Message);
        Assert.Equal(["ready", "second ended", "models let go"], _seen);
    }

    [Fact]
    public async Task A_queue_that_ends_by_itself_ends_the_others()
    {
        var working = WorkAsync();
        await Task.WhenAll(_first.AtWork, _second.AtWork);

        _first.End.SetResult();
        await _second.Stopping;
        _second.End.SetResult();

        await working;
    }

    [Fact]
    public async Task A_worker_that_cannot_begin_is_not_ready()
    {
        await _stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(WorkAsync);
        Assert.DoesNotContain("ready", _seen);
    }

    [Fact]
    public void An_activity_that_is_stopped_has_the_time_that_it_needs()
    {
        using var host = Worker.Build(NullLoggerFactory.Instance, _ => { });

        Assert.Equal(Timeout.InfiniteTimeSpan, host.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }

    public void Dispose() => _stop.Dispose();

    private async Task WorkAsync()
    {
        using var host = Worker.Build(NullLoggerFactory.Instance, services =>
        {
            services.AddSingleton(_ => new Models(_seen));
            services.AddSingleton<IHostedService>(_first);
            services.AddSingleton<IHostedService>(_second);
        });
        host.Services.GetRequiredService<Models>();
        await Worker.UntilOneEndsAsync(host, () => _seen.Add("ready"), _stop.Token);
    }

    private sealed class Models(List<string> seen) : IDisposable
    {
        public void Dispose() => seen.Add("models let go");
    }

    private sealed class Part(List<string> seen, string name) : BackgroundService
    {
        private readonly TaskCompletionSource _atWork = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task AtWork => _atWork.Task;

        public Task Stopping => _stopping.Task;

        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            _atWork.SetResult();
            await using var _ = stoppingToken.Register(_stopping.SetResult);
            await End.Task;
            seen.Add($"{name} ended");
        }
    }
}
