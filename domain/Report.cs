namespace Alt.Domain;

/// <summary>One row of the report; iteration 0 is the base model.</summary>
public sealed record IterationReport(int Iteration, EvaluationMetrics Metrics, int Samples, int TrainedExamples, double Seconds);

/// <summary>What a run came to: the answer of <c>alt report</c> and the end of <c>alt run</c>.</summary>
public sealed record RunReport(
    string RunId, string State, RunConfig Config, string? PoolHash, string? WeightsHash, double Seconds, IReadOnlyList<IterationReport> Iterations)
{
    /// <param name="iterations">The iterations' states in order, iteration 0 first; those not yet evaluated are left out.</param>
    public static RunReport From(RunState run, IReadOnlyList<IterationState> iterations)
    {
        var started = run.Started ?? throw new InvalidOperationException("The run has not started.");
        var rows = iterations
            .Select((state, n) => (State: state, N: n))
            .Where(i => i.State.Evaluation is not null)
            .Select(i => new IterationReport(i.N, i.State.Evaluation!.Metrics, i.State.Sampling?.Samples ?? 0, i.State.Selection?.Selected ?? 0, SecondsOf(i.State)))
            .ToArray();

        return new RunReport(
            started.RunId,
            run.Status.ToString().ToLowerInvariant(),
            started.Config,
            iterations.LastOrDefault(i => i.DataPool is not null)?.DataPool!.PoolHash,
            iterations.LastOrDefault(i => i.Training is not null)?.Training!.WeightsHash ?? run.Base?.WeightsHash,
            rows.Sum(r => r.Seconds) + (run.Base?.Seconds ?? 0) + (run.Reward?.Seconds ?? 0) + (run.Judge?.Seconds ?? 0),
            rows);
    }

    private static double SecondsOf(IterationState state) =>
        (state.Sampling?.Seconds ?? 0) + (state.Feedback?.Seconds ?? 0) + (state.Training?.Seconds ?? 0) + (state.Evaluation?.Seconds ?? 0);
}
