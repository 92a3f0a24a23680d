using System.Diagnostics;
using Alt.Domain;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Tells the server that an activity lives and how far it is, whatever thread its work blocks.</summary>
internal static class Heartbeats
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Runs the work away from the worker's own threads and beats until it ends.</summary>
    /// <param name="work">
    /// Gets a progress to report to, and a token that ends with the activity's cancellation or the worker's shutdown.
    /// </param>
    public static async Task<T> DuringAsync<T>(
        Stage stage, string unit, Func<IProgress<(long Done, long Total)>, CancellationToken, Task<T>> work)
    {
        var context = ActivityExecutionContext.Current;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, context.WorkerShutdownToken);
        var progress = new Latest();
        var clock = Stopwatch.StartNew();
        var running = Task.Run(() => work(progress, ended.Token), ended.Token);

        using var timer = new PeriodicTimer(Interval);
        Task tick;
        do
        {
            var (done, total) = progress.Value;
            context.Heartbeat(new StageProgress(stage, done, total, unit, done / Math.Max(clock.Elapsed.TotalSeconds, 1e-3)));
            tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
        }
        while (await Task.WhenAny(running, tick) == tick);

        return await running;
    }

    /// <inheritdoc cref="DuringAsync{T}"/>
    public static Task DuringAsync(Stage stage, string unit, Func<IProgress<(long Done, long Total)>, CancellationToken, Task> work) =>
        DuringAsync(stage, unit, async (progress, token) =>
        {
            await work(progress, token);
            return true;
        });

    private sealed class Latest : IProgress<(long Done, long Total)>
    {
        private readonly Lock _gate = new();
        private (long, long) _value;

        public (long Done, long Total) Value
        {
            get
            {
                lock (_gate)
                {
                    return _value;
                }
            }
        }

        public void Report((long Done, long Total) report)
        {
            lock (_gate)
            {
                _value = report;
            }
        }
    }
}
