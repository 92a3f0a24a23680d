using Microsoft.Extensions.Logging;
using Npgsql;
using TemporalServer.Engine;
using TemporalServer.Persistence;

namespace TemporalServer.Runtime;

/// <summary>Removes closed runs once their namespace's retention time has passed.</summary>
internal sealed partial class Retention(
    Executions executions, ExecutionStore store, Namespaces namespaces, TimeProvider clock, ILogger logger)
{
    private const int PerSweep = 1_000;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await SweepAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is RpcError or NpgsqlException or TimeoutException or IOException)
            {
                LogLater(logger, e.Message);
            }

            await Task.Delay(Interval, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Removes the runs that are due now; a large backlog takes several sweeps.</summary>
    public async Task SweepAsync(CancellationToken stopping)
    {
        foreach (var ns in namespaces.All.Select(n => n.NamespaceInfo.Name))
        {
            foreach (var run in await store.ClosedBeforeAsync(
                ns, clock.GetUtcNow().UtcDateTime - namespaces.Retention(ns), PerSweep))
            {
                stopping.ThrowIfCancellationRequested();
                await executions.DeleteAsync(run);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Closed workflows past their retention could not be removed, trying again later: {Reason}")]
    private static partial void LogLater(ILogger logger, string reason);
}
