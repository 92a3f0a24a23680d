using Alt.Domain;
using Alt.Host.Progress;
using Alt.Host.Reports;
using Alt.Host.Supervisor;
using Alt.Model.Network;
using Microsoft.Extensions.Logging;

namespace Alt.Host.Commands;

/// <summary>Follows a run to its end and reports, for every command that starts or continues a run.</summary>
internal sealed class RunSession(AltHome home, Output output, ILoggerFactory logs)
{
    /// <param name="state">The run as it is recorded; it may be missing.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="InputException">The run is paused, or its device is not available.</exception>
    /// <exception cref="HostException">The run failed.</exception>
    public async Task<int> RunAsync(
        LedgerConnection record, string id, RunState state, RunConfig config, string? temporal, CancellationToken token)
    {
        if (state.Status == RunStatus.Paused && !RunFollowers.IsFollowed(home, id))
        {
            throw new InputException(
                $"run '{id}' is paused{(state.Hold is { } hold ? $": {HoldText.Of(hold, id)}" : "")}; ./alt resume {id} ends that, then "
                + $"./alt run --run-id {id} continues it");
        }

        string? failure = null;
        if (state.Status != RunStatus.Finished)
        {
            // The worker, on this machine, would report the same, but later.
            RequireDevice(id, state.Started?.Device, config.Device);
            var continues = state.Status == RunStatus.Missing ? "" : " continues";
            output.Say($"run {id}{continues}; after an interruption: ./alt run --run-id {id}");
            failure = await FollowAsync(record, id, config, temporal, token);
        }

        var end = await record.AskAsync(l => l.RunAsync(id, token), token);
        if (end.Status == RunStatus.Missing)
        {
            throw new HostException(failure is null
                ? $"run '{id}' ended before it began; see .alt/logs/worker.log"
                : $"run '{id}' failed before it began: {failure}");
        }

        var report = await record.AskAsync(l => l.ReportAsync(id, token), token);
        var page = HtmlReport.Write(home, report);
        output.Result(report, console => ReportTable.Write(console, report, page));
        return failure is null
            ? 0
            : throw new HostException(
                $"run '{id}' failed: {end.Failure?.Explained ?? failure}; once that is fixed, continue with: ./alt retry {id}");
    }

    /// <exception cref="InputException">The run's device is not available here.</exception>
    private static void RequireDevice(string id, RunDevice? recorded, RunDevice configured)
    {
        try
        {
            ModelDevice.Choose(recorded ?? configured);
        }
        catch (InputException e) when (recorded is not null)
        {
            throw new InputException(
                $"{e.Message}; ./alt fork {id} --at K --set device=cpu continues it elsewhere, ./alt sample --run {id} --device cpu shows "
                + "its policy", e);
        }
    }

    /// <returns>Why the run failed; null where it ended well.</returns>
    private async Task<string?> FollowAsync(LedgerConnection record, string id, RunConfig config, string? temporal, CancellationToken token)
    {
        await using var services = RunServices.Start(home, temporal, record.Cluster, logs);
        var display = new ProgressDisplay(output);
        var follower = new RunFollower(home, services, record, id, display, logs);
        string? failure = null;
        try
        {
            await display.DuringAsync(async () => failure = await follower.RunAsync(config, token));
            return failure;
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            output.Say($"interrupted; nothing is lost. Continue with: ./alt run --run-id {id}");
            throw;
        }
    }
}
