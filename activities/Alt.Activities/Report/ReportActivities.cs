using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Closes iterations and runs in the record; the report itself is read from it at any time.</summary>
public sealed class ReportActivities(Ledger ledger)
{
    [Activity]
    public Task FinishIterationAsync(IterationRef iteration) => Heartbeats.DuringAsync(Stage.Report, "events", async (_, token) =>
    {
        var run = await ledger.RunAsync(iteration.Run, token);
        var state = await ledger.IterationAsync(iteration, token);
        var finished = new RunEvent.IterationFinished(iteration.Number, state.Training?.WeightsHash ?? run.Base!.WeightsHash);
        await ledger.RecordAsync(iteration.Run, s => s.IterationsFinished > iteration.Number ? finished : null, finished, token: token);
        await ledger.CertifyAsync(iteration.Run, token);
        StageLog.Log.IterationEnded(finished.PolicyHash);
    });

    /// <param name="stopped">A user asked for an early end: the run is closed as stopped and can continue later.</param>
    [Activity]
    public Task FinishRunAsync(string run, bool stopped) => Heartbeats.DuringAsync(Stage.Report, "events", async (_, token) =>
    {
        if (stopped)
        {
            var stop = new RunEvent.RunStopped(DateTimeOffset.UtcNow);
            await ledger.RecordAsync(run, s => s.Status == RunStatus.Stopped ? stop : null, stop, token: token);
            StageLog.Log.RunRecorded(RunStatus.Stopped);
            return;
        }

        var report = await ledger.ReportAsync(run, token);
        await ledger.RecordAsync(
            run, s => s.Finished,
            new RunEvent.RunFinished(report.PoolHash ?? "", report.WeightsHash ?? "", report.Seconds, DateTimeOffset.UtcNow), token: token);
        await ledger.CertifyAsync(run, token);
        StageLog.Log.RunRecorded(RunStatus.Finished);
    });

    [Activity]
    public Task FailAsync(string run, string reason) => Heartbeats.DuringAsync(Stage.Report, "events", async (_, token) =>
    {
        var state = await ledger.RunAsync(run, token);
        if (state.Status is RunStatus.Missing)
        {
            return;
        }

        var failed = new RunEvent.RunFailed(reason, DateTimeOffset.UtcNow);
        if (state.Base is not null && state.IterationsFinished is var iteration && iteration <= state.Config.Iterations)
        {
            var stage = (await ledger.IterationAsync(new(run, iteration), token)).Current;
            // Iteration 0 has no earlier stage to be in.
            failed = failed with { Iteration = iteration, Stage = iteration == 0 && stage < Stage.Evaluation ? Stage.Evaluation : stage };
        }

        await ledger.RecordAsync(run, s => s.Status == RunStatus.Failed ? s.Failure : null, failed, token: token);
        StageLog.Log.RunFailed(failed.Explained);
    });

    /// <summary>Records that a run was paused or continues.</summary>
    /// <param name="hold">Why it paused itself; null if a user asked for it.</param>
    [Activity]
    public Task PauseAsync(string run, bool pause, Hold? hold = null) =>
        Heartbeats.DuringAsync(Stage.Report, "events", async (_, token) =>
        {
            RunEvent change = pause
                ? new RunEvent.RunPaused(DateTimeOffset.UtcNow, hold)
                : new RunEvent.RunResumed(DateTimeOffset.UtcNow);
            await ledger.RecordAsync(run, s => (s.Status == RunStatus.Paused) == pause ? change : null, change, token: token);
            StageLog.Log.RunRecorded(pause ? RunStatus.Paused : RunStatus.Running);
        });
}
