using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Alt.Domain;

namespace Alt.Infra.Audits;

public sealed partial class Audit
{
    /// <summary>Selects a pool: the last one made no later than an event, a time or an iteration; all null selects the newest.</summary>
    public sealed record Moment(long? Event = null, DateTimeOffset? Time = null, int? Iteration = null);

    /// <param name="limit">How many entries to list; null lists all.</param>
    /// <param name="after">List from the entry after this one.</param>
    /// <exception cref="InputException">No pool existed at that moment.</exception>
    public async Task<PoolSnapshot> PoolAsync(
        string run, Moment moment, int? limit = null, SampleId? after = null, CancellationToken token = default)
    {
        var state = await ledger.ExistingRunAsync(run, token);
        var streams = moment.Iteration is { } iteration
            ? [Ledger.IterationStream(new(run, iteration))]
            : IterationStreams(run, state.Config);
        var (lastEvent, lastTime) = (moment.Event ?? long.MaxValue, (moment.Time ?? DateTimeOffset.MaxValue).ToUniversalTime());
        var found = await AskAsync(
            AuditSql.PoolEvent, r => (
                Sequence: r.GetInt64(0), Stream: r.GetString(1), At: r.GetFieldValue<DateTimeOffset>(2),
                Updated: Data<IterationEvent.DataPoolUpdated>(r, 3)),
            token, streams, lastEvent, lastTime);
        if (found is not [var (sequence, stream, at, pool)])
        {
            throw new InputException(
                $"run '{run}' had no pool {MomentOf(moment)}; `./alt audit events {run}` shows when its pools were updated");
        }

        var number = int.Parse(stream.AsSpan(stream.LastIndexOf('-') + 1), CultureInfo.InvariantCulture);
        var selected = (await AskAsync(
            AuditSql.SelectionEvent, r => Data<IterationEvent.BatchSelected>(r, 0), token, stream, lastEvent, lastTime)).FirstOrDefault();
        var from = after ?? new SampleId(-1, 0, 0);
        var entries = await AskAsync(
            AuditSql.PoolEntries,
            r => new PoolSnapshotEntry(
                new SampleRef(run, new SampleId(r.GetInt32(0), r.GetInt32(1), r.GetInt32(2))).ToString(), r.GetDouble(3), r.GetInt32(4),
                r.GetString(5),
                selected is null ? null : Nullable<string>(r, 6)),
            token, run, number, (await ledger.ConfigsAsync(state, token))[number].DataPool.Accumulate ? 1 : number,
            (long)(limit ?? int.MaxValue), from.Iteration, from.Prompt, from.K);
        return new PoolSnapshot(
            run, number, sequence, at, pool.PoolHash, pool.Entries, pool.Added, pool.PerQuantile, selected?.Selected, selected?.LeftOut,
            entries);
    }

    /// <exception cref="InputException">An iteration is not one of the run's.</exception>
    public async Task<IterationDiff> DiffAsync(string run, int from, int to, CancellationToken token = default)
    {
        var config = (await ledger.ExistingRunAsync(run, token)).Config;
        foreach (var number in new[] { from, to })
        {
            if (number < 0 || number > config.Iterations)
            {
                throw new InputException($"iteration {number}: run '{run}' has the iterations 0 to {config.Iterations}");
            }
        }

        var states = await SummariesAsync([Ledger.IterationStream(new(run, from)), Ledger.IterationStream(new(run, to))], token);
        var (a, b) = (State(from), State(to));
        var moves = await AskAsync(
            AuditSql.Moves, r => new QuantileMove(r.GetInt32(0), r.GetInt32(1), r.GetInt64(2)), token, run, Math.Min(from, to),
            Math.Max(from, to));
        return new IterationDiff(
            run, from, to,
            [.. Figures.Select(f => new Figure(f.Name, Text(f.Value(a)), Text(f.Value(b))))
                .Where(f => f.From is not null || f.To is not null)],
            from <= to ? moves : [.. moves.Select(m => new QuantileMove(m.To, m.From, m.Samples)).OrderBy(m => (m.From, m.To))]);

        IterationState State(int number) => states.GetValueOrDefault(Ledger.IterationStream(new(run, number)), IterationState.Empty);
    }

    /// <exception cref="InputException">The run does not exist.</exception>
    public async Task<RunCost> CostAsync(string run, CancellationToken token = default)
    {
        var state = await ledger.ExistingRunAsync(run, token);
        var states = await SummariesAsync(IterationStreams(run, state.Config), token);
        var judges = (await AskAsync(
            AuditSql.JudgeCosts,
            r => (
                Iteration: r.GetInt32(0), Calls: r.GetInt64(1), Attempts: r.GetInt64(2), Input: r.GetInt64(3), Output: r.GetInt64(4),
                Cost: r.GetDecimal(5)),
            token, run)).ToDictionary(c => c.Iteration);
        var rows = new List<CostRow>
        {
            new(
                null, state.Base?.Tokens ?? 0, 0,
                (state.RewardClassifier?.Seconds ?? 0) + (state.EvaluationClassifier?.Seconds ?? 0), state.Base?.Seconds ?? 0, 0,
                0, 0, 0, 0, 0),
        };
        for (var number = 0; number <= state.Config.Iterations; number++)
        {
            if (states.TryGetValue(Ledger.IterationStream(new(run, number)), out var i))
            {
                var c = judges.GetValueOrDefault(number);
                rows.Add(new CostRow(
                    number, (i.Sampling?.Tokens ?? 0) + (i.Training?.Tokens ?? 0), i.Sampling?.Seconds ?? 0, i.Feedback?.Seconds ?? 0,
                    i.Training?.Seconds ?? 0, i.Evaluation?.Seconds ?? 0,
                    c.Calls, c.Attempts, c.Input, c.Output, c.Cost));
            }
        }

        return new RunCost(run, rows, new CostRow(
            null, rows.Sum(r => r.Tokens), rows.Sum(r => r.SamplingSeconds), rows.Sum(r => r.FeedbackSeconds),
            rows.Sum(r => r.TrainingSeconds), rows.Sum(r => r.EvaluationSeconds),
            rows.Sum(r => r.JudgeCalls), rows.Sum(r => r.JudgeAttempts), rows.Sum(r => r.InputTokens), rows.Sum(r => r.OutputTokens),
            rows.Sum(r => r.Cost)));
    }

    /// <summary>A run's events in their order.</summary>
    /// <param name="after">Only those after this sequence number; null selects the last ones.</param>
    /// <exception cref="InputException">The run does not exist.</exception>
    public async Task<IReadOnlyList<RecordedEvent>> EventsAsync(string run, long? after, int limit, CancellationToken token = default)
    {
        var streams = Streams(run, (await ledger.ExistingRunAsync(run, token)).Config);
        return after is { } sequence
            ? await AskAsync(AuditSql.EventsAfter, Read, token, streams, sequence, (long)limit)
            : await AskAsync(AuditSql.LastEvents, Read, token, streams, (long)limit);

        static RecordedEvent Read(Npgsql.NpgsqlDataReader r) =>
            new(
                r.GetInt64(0), r.GetString(1), r.GetInt64(2), r.GetString(3), r.GetFieldValue<DateTimeOffset>(4),
                JsonSerializer.Deserialize<JsonElement>(r.GetFieldValue<byte[]>(5)));
    }

    /// <summary>A run's last events, then new ones as they come, until the run ends or the token is cancelled.</summary>
    public async IAsyncEnumerable<RecordedEvent> FollowAsync(
        string run, long? after, int limit, [EnumeratorCancellation] CancellationToken token = default)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        do
        {
            // This checks whether the run has ended before it reads the events, so that it misses none of the last ones.
            var ended = (await ledger.ExistingRunAsync(run, token)).Status is RunStatus.Finished or RunStatus.Failed or RunStatus.Stopped;
            var events = await EventsAsync(run, after, limit, token);
            foreach (var @event in events)
            {
                yield return @event;
                after = @event.Sequence;
            }

            after ??= 0;
            if (ended && events.Count < limit)
            {
                yield break;
            }
        }
        while (await timer.WaitForNextTickAsync(token));
    }

    private static readonly (string Name, Func<IterationState, object?> Value)[] Figures =
    [
        ("policy", s => s.Sampling?.PolicyHash), ("conditioning", s => s.Sampling?.Conditioning), ("prompts", s => s.Prompts?.Count),
        ("samples", s => s.Sampling?.Samples),
        ("truncated", s => s.Sampling?.Truncated), ("labelled", s => s.Feedback?.Labelled), ("abstained", s => s.Feedback?.Abstained),
        ("unparsed", s => s.Feedback?.Unparsed),
        ("failed", s => s.Feedback?.Failed), ("mean reward", s => s.Feedback?.MeanReward), ("pool", s => s.DataPool?.PoolHash),
        ("pool entries", s => s.DataPool?.Entries),
        ("entries added", s => s.DataPool?.Added),
        ("entries per quantile", s => s.DataPool is { } pool ? string.Join(' ', pool.PerQuantile) : null),
        ("selected", s => s.Selection?.Selected),
        ("left out", s => s.Selection?.LeftOut.Values.Sum()), ("weights", s => s.Training?.WeightsHash),
        ("training steps", s => s.Training?.Count), ("loss", s => s.Training?.Loss),
        ("KL", s => s.Training?.Kl), ("entropy", s => s.Training?.Entropy),
        ("toxicity probability", s => s.Evaluation?.Metrics.ToxicityProbability),
        ("average maximum toxicity", s => s.Evaluation?.Metrics.AverageMaximumToxicity),
        ("toxic share", s => s.Evaluation?.Metrics.ToxicShare),
        ("perplexity", s => s.Evaluation?.Metrics.Perplexity), ("dist-2", s => s.Evaluation?.Metrics.Dist2),
        ("dist-3", s => s.Evaluation?.Metrics.Dist3), ("length", s => s.Evaluation?.Metrics.Length),
    ];

    private static string? Text(object? value) => value is null ? null : Convert.ToString(value, CultureInfo.InvariantCulture);

    private static string MomentOf(Moment moment) =>
        moment.Event is { } sequence ? $"at event {sequence}"
        : moment.Time is { } time ? string.Create(CultureInfo.InvariantCulture, $"at {time:u}")
        : moment.Iteration is { } iteration ? $"in iteration {iteration}"
        : "yet";
}
