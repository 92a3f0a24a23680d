using Alt.Domain;

namespace Alt.Infra.Audits;

/// <summary>The whole life of one sample.</summary>
/// <param name="Policy">Hash of the weights that drew it.</param>
/// <param name="Conditioning">The feedback that the policy was given; null for none.</param>
/// <param name="Seed">The run's seed; with iteration, prompt and k it names the random numbers.</param>
/// <param name="Outcome">How its judgement ended; null before it was judged.</param>
/// <param name="Why">Why there is no reward; null where there is one.</param>
public sealed record SampleLife(
    string Id, int Chunk, string Policy, string? Conditioning, long Seed, FinishReason FinishReason, IReadOnlyList<int> Tokens,
    string Prompt, string Text,
    string? Outcome, double? Reward, string? Why, IReadOnlyList<JudgeCall> Calls, IReadOnlyList<PoolMembership> Pools, string Fate,
    bool Erased);

/// <summary>A sample's part in one iteration's pool.</summary>
/// <param name="Iteration">The pool's iteration.</param>
/// <param name="Quantile">0 is the best.</param>
/// <param name="Feedback">The quantile's tag.</param>
/// <param name="Decision"><c>Selected</c>, or the reason why not; null before the selection.</param>
/// <param name="Steps">The training steps that drew it, from 1.</param>
public sealed record PoolMembership(int Iteration, int Quantile, string Feedback, string? Decision, IReadOnlyList<int> Steps);

/// <summary>Whether a sample was trained on, and why or why not.</summary>
public sealed record WhyNot(string Id, bool Trained, string Fate, IReadOnlyList<PoolMembership> Pools);

/// <summary>The datapool as it was at one moment.</summary>
/// <param name="Event">Sequence number of the event that made it.</param>
/// <param name="Selected">null where the selection came later.</param>
/// <param name="Samples">Entries in the order of the record, as many as were asked for.</param>
public sealed record PoolSnapshot(
    string Run, int Iteration, long Event, DateTimeOffset At, string PoolHash, int Entries, int Added, IReadOnlyList<int> PerQuantile,
    int? Selected, IReadOnlyDictionary<string, int>? LeftOut, IReadOnlyList<PoolSnapshotEntry> Samples);

public sealed record PoolSnapshotEntry(string Id, double Reward, int Quantile, string FinishReason, string? Decision);

/// <summary>Compares two iterations of a run, and shows how the samples in both pools moved between quantiles.</summary>
public sealed record IterationDiff(string Run, int From, int To, IReadOnlyList<Figure> Figures, IReadOnlyList<QuantileMove> Moves);

/// <summary>One figure of two iterations; null where an iteration has none yet.</summary>
public sealed record Figure(string Name, string? From, string? To);

public sealed record QuantileMove(int From, int To, long Samples);

/// <summary>What a run has cost: a row for its preparation (iteration null), one per iteration, and the sum of all.</summary>
public sealed record RunCost(string Run, IReadOnlyList<CostRow> Rows, CostRow Total);

/// <param name="Tokens">Drawn and trained on.</param>
/// <param name="Cost">Money for judges, in US dollars.</param>
public sealed record CostRow(
    int? Iteration, long Tokens, double SamplingSeconds, double FeedbackSeconds, double TrainingSeconds, double EvaluationSeconds,
    long JudgeCalls, long JudgeAttempts, long InputTokens, long OutputTokens, decimal Cost);

/// <summary>One recorded event.</summary>
/// <param name="Sequence">Its place among all events; <c>--at-event</c> takes it.</param>
public sealed record RecordedEvent(
    long Sequence, string Stream, long Version, string Type, DateTimeOffset At, System.Text.Json.JsonElement Data);
