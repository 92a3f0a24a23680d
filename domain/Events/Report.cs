namespace Alt.Domain;

/// <summary>One row of the report; iteration 0 is the base model.</summary>
/// <param name="SharedFrom">The run that a fork took the whole iteration from; null for its own iterations.</param>
public sealed record IterationReport(
    int Iteration, EvaluationMetrics Metrics, int Samples, int TrainedExamples, double Seconds, string? SharedFrom = null);

/// <summary>A run's results: the answer of <c>alt report</c> and the end of <c>alt run</c>.</summary>
/// <param name="Seconds">Time of the run's own work, without the work that a fork shares with its parent.</param>
/// <param name="Failure">Where and why the run failed; null where it did not.</param>
/// <param name="Origin">What a fork shares with its parent; null for a run that began by itself.</param>
public sealed record RunReport(
    string RunId, string State, RunConfig Config, string? PoolHash, string? WeightsHash, double Seconds,
    IReadOnlyList<IterationReport> Iterations, string? Failure = null,
    RunOrigin? Origin = null)
{
    /// <param name="iterations">The iterations' states in order, iteration 0 first; those not yet evaluated are left out.</param>
    public static RunReport From(RunState run, IReadOnlyList<IterationState> iterations)
    {
        var started = run.Started ?? throw new InvalidOperationException("The run has not started.");
        var rows = iterations
            .Select((state, n) => (State: state, N: n))
            .Where(i => i.State.Evaluation is not null)
            .Select(i => new IterationReport(
                i.N, i.State.Evaluation!.Metrics, i.State.Sampling?.Samples ?? 0, i.State.Selection?.Selected ?? 0, SecondsOf(i.State),
                i.N < started.Origin?.Iteration ? started.Origin.Run : null))
            .ToArray();
        // A fork's preparation is its parent's, except for a classifier that a setting changed.
        var prepared = started.Origin is null
            ? (run.Base?.Seconds ?? 0) + (run.RewardClassifier?.Seconds ?? 0) + (run.EvaluationClassifier?.Seconds ?? 0)
            : 0;

        return new RunReport(
            started.RunId,
            run.Status.ToString().ToLowerInvariant(),
            started.Config,
            iterations.LastOrDefault(i => i.DataPool is not null)?.DataPool!.PoolHash,
            iterations.LastOrDefault(i => i.Training is not null)?.Training!.WeightsHash ?? run.Base?.WeightsHash,
            rows.Where(r => r.SharedFrom is null).Sum(r => r.Seconds) + prepared,
            rows,
            run.Status == RunStatus.Failed ? run.Failure!.Explained : null,
            started.Origin);
    }

    private static double SecondsOf(IterationState state) =>
        (state.Sampling?.Seconds ?? 0) + (state.Feedback?.Seconds ?? 0) + (state.Training?.Seconds ?? 0) + (state.Evaluation?.Seconds ?? 0);
}
