using Microsoft.Extensions.Logging;
using Temporalio.Exceptions;

namespace Temporalio.Worker;

/// <summary>What a poller does about errors that the retry of calls has passed on.</summary>
internal static class PollErrors
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Waits a little; a poll that found nothing in its time is no error.</summary>
    public static async Task WaitAsync(ILogger logger, RpcException error, string kind, CancellationToken shutdown)
    {
        if (error.Code is RpcException.StatusCode.DeadlineExceeded or RpcException.StatusCode.Cancelled)
        {
            return;
        }
        logger.LogWarning(error, "Poll for {Kind} tasks failed, trying again", kind);
        await Task.WhenAny(Task.Delay(Pause, shutdown));
    }
}
