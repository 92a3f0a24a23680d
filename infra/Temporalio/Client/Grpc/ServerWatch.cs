using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Temporalio.Exceptions;

namespace Temporalio.Client.Grpc;

/// <summary>Says once that the server is lost and once that it is back, however many calls notice.</summary>
internal sealed class ServerWatch(ILogger logger, string address)
{
    private readonly Lock gate = new();
    private Stopwatch? lost;

    public void Succeeded()
    {
        if (Volatile.Read(ref lost) is null)
        {
            return;
        }
        lock (gate)
        {
            if (lost is { } outage)
            {
                lost = null;
                logger.LogInformation("Temporal server at {Address} is back after {Seconds:F1} s", address, outage.Elapsed.TotalSeconds);
            }
        }
    }

    public void Failed(RpcException exception)
    {
        if (exception.Code != RpcException.StatusCode.Unavailable)
        {
            return;
        }
        lock (gate)
        {
            if (lost is null)
            {
                lost = Stopwatch.StartNew();
                logger.LogWarning("Lost the Temporal server at {Address} ({Reason}); waiting for it, no finished work is lost", address, exception.Message);
            }
        }
    }
}
