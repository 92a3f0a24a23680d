using Microsoft.Extensions.Logging;
using Temporalio.Exceptions;

namespace Temporalio.Worker;

/// <summary>Polls for tasks of one kind as long as there is a free slot to run them in.</summary>
/// <typeparam name="TTask">The task as the server hands it out.</typeparam>
/// <param name="kind">What is polled for; for logs and metrics.</param>
/// <param name="slots">A slot is taken before each poll.</param>
/// <param name="poll">Makes a poll; may return an empty task.</param>
/// <param name="isTask">Whether a task is not empty.</param>
/// <param name="start">Starts a task; whoever runs it releases the slot.</param>
/// <param name="logger">Logger.</param>
internal sealed class TaskPoller<TTask>(
    string kind, SemaphoreSlim slots, Func<CancellationToken, Task<TTask>> poll, Predicate<TTask> isTask, Action<TTask> start, ILogger logger)
{
    // The server holds a poll for a minute.
    public static readonly TimeSpan PollTimeout = TimeSpan.FromSeconds(70);

    private static readonly TimeSpan PauseAfterError = TimeSpan.FromSeconds(1);

    /// <summary>Polls until the worker stops.</summary>
    public async Task RunAsync(WorkerLifetime lifetime)
    {
        while (!lifetime.Stopping.IsCancellationRequested)
        {
            try
            {
                await slots.WaitAsync(lifetime.Stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            if (!await PollOnceAsync(lifetime))
            {
                slots.Release();
            }
        }
    }

    private async Task<bool> PollOnceAsync(WorkerLifetime lifetime)
    {
        try
        {
            var task = await poll(lifetime.PollsAborted);
            if (isTask(task))
            {
                start(task);
                return true;
            }
        }
        catch (OperationCanceledException) when (lifetime.PollsAborted.IsCancellationRequested)
        {
            // The worker stops.
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.DeadlineExceeded or RpcException.StatusCode.Cancelled)
        {
            // Nothing came in that time.
        }
        catch (RpcException e)
        {
            logger.LogWarning(e, "Poll for {Kind} tasks failed, trying again", kind);
            await Task.WhenAny(Task.Delay(PauseAfterError, lifetime.Stopping));
        }
        return false;
    }
}
