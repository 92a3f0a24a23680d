using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Alt.Domain;
using Alt.Infra;
using Alt.Infra.Audits;
using Npgsql;
using NpgsqlTypes;

namespace Alt.Bench;

/// <summary>
/// How fast the audit answers on a generated run of two million samples in ten iterations, and how fast samples are ingested. The rows are
/// those that ten iterations of a growing pool would have left, sent by COPY; events and the artifacts that a question reads are real.
/// </summary>
public sealed partial class AuditBenchmark
{
    private const string Run = "bench";
    private const int Iterations = 10, Generations = 5, ChunkPrompts = 64, Repeats = 21;

    private readonly Ledger _ledger;
    private readonly ArtifactStore _artifacts;
    private readonly int _prompts;
    private readonly RunConfig _config;

    /// <param name="samples">How many in all; rounded to whole prompts.</param>
    public AuditBenchmark(Ledger ledger, ArtifactStore artifacts, int samples = 2_000_000)
    {
        (_ledger, _artifacts, _prompts) = (ledger, artifacts, Math.Max(1, samples / Iterations / Generations));
        _config = new RunConfig
        {
            Iterations = Iterations,
            Data = new() { Grammar = "generated.yaml" },
            Prompts = new() { PerIteration = _prompts },
            Sampling = new() { Generations = Generations, ChunkPrompts = ChunkPrompts },
            Selection = new() { PerQuantile = _prompts },
            Training = new() { Steps = 100, BatchSize = 64 },
        };
    }

    /// <summary>Needs an empty ledger.</summary>
    public async Task<AuditFigures> RunAsync(Action<string> progress, CancellationToken token = default)
    {
        progress("recording the run's events");
        await StartAsync(token);
        progress("ingesting samples as a run does");
        var (sampled, judged, together) = await IngestAsync(token);
        progress($"generating {Iterations * _prompts * Generations:N0} samples");
        await GenerateAsync(token);
        progress("asking");
        return new AuditFigures(Iterations * _prompts * Generations, sampled, judged, together, await AskAsync(token));
    }

    private async Task<IReadOnlyList<AuditFigure>> AskAsync(CancellationToken token)
    {
        var audit = new Audit(_ledger, _artifacts);
        var random = new Random(1);
        var figures = new List<AuditFigure>();
        var streams = Enumerable.Range(1, Iterations).Select(n => Ledger.IterationStream(new(Run, n))).ToArray();
        await AddAsync("sample", i => audit.SampleAsync(Readable(i), token), AuditSql.Sample, Run, 5, 0, 0);
        await AddAsync("why-not", _ => audit.WhyNotAsync(Any(), token), AuditSql.SampleSteps, Run, 5, 0, 0);
        await AddAsync(
            "pool", _ => audit.PoolAsync(Run, new(), 20, token: token), AuditSql.PoolEvent, streams, long.MaxValue, DateTimeOffset.UtcNow);
        await AddAsync(
            "pool --iteration K --after ID", _ =>
                audit.PoolAsync(Run, new(Iteration: random.Next(1, Iterations + 1)), 20, new SampleId(1, random.Next(_prompts), 0), token),
            AuditSql.PoolEntries, Run, Iterations, 1, 20L, 1, _prompts / 2, 0);
        await AddAsync(
            "diff", _ => audit.DiffAsync(Run, random.Next(1, Iterations), Iterations, token), AuditSql.Moves, Run, 1, Iterations);
        await AddAsync("cost", _ => audit.CostAsync(Run, token), AuditSql.JudgeCosts, Run);
        await AddAsync("events", _ => audit.EventsAsync(Run, null, 50, token), AuditSql.LastEvents, streams, 50L);
        await AddAsync(
            "events --after N", _ => audit.EventsAsync(Run, random.Next(1, 1000), 50, token), AuditSql.EventsAfter, streams, 1000L, 50L);
        const string OnePrompt = $"select outcome, count(*) from alt_samples where run = '{Run}' and iteration = 7 and prompt "
            + "between 100 and 200 group by 1";
        await AddAsync(
            "sql (one iteration's range of prompts)", _ => audit.SqlAsync(OnePrompt, 1000, TimeSpan.FromSeconds(10), token), OnePrompt);
        return figures;

        SampleRef Any() => new(Run, new SampleId(random.Next(1, Iterations + 1), random.Next(_prompts), random.Next(Generations)));

        // Only the first chunk of an iteration has an artifact.
        SampleRef Readable(int i) =>
            new(Run, new SampleId(1 + i % Iterations, random.Next(Math.Min(_prompts, ChunkPrompts)), random.Next(Generations)));

        async Task AddAsync(string name, Func<int, Task> ask, string sql, params object[] parameters)
        {
            await ask(0);
            var times = new List<double>();
            for (var i = 0; i < Repeats; i++)
            {
                var watch = Stopwatch.StartNew();
                await ask(i);
                times.Add(watch.Elapsed.TotalMilliseconds);
            }

            times.Sort();
            figures.Add(new AuditFigure(name, times[times.Count / 2], times[^1], await IndexesAsync(sql, parameters, token)));
        }
    }

    /// <summary>The indexes in PostgreSQL's plan of a query.</summary>
    private async Task<IReadOnlyList<string>> IndexesAsync(string sql, object[] parameters, CancellationToken token)
    {
        await using var command = _ledger.Source.CreateCommand($"explain {sql}");
        foreach (var value in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        var indexes = new SortedSet<string>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(token);
        while (await reader.ReadAsync(token))
        {
            indexes.UnionWith(Index().Matches(reader.GetString(0)).Select(m => m.Groups[1].Value));
            indexes.UnionWith(SequentialScan().Matches(reader.GetString(0)).Select(m => $"(none: all of {m.Groups[1].Value})"));
        }

        return [.. indexes];
    }

    private async Task StartAsync(CancellationToken token)
    {
        var now = DateTimeOffset.UtcNow;
        var all = await _artifacts.PutJsonLinesAsync(
            Enumerable.Range(0, _prompts).Select(i => new Prompt(i, $"Generated prompt number {i}")), token);
        await RecordAsync(new RunEvent.RunStarted(Run, _config, AltJson.Hash(_config), new Dictionary<string, string>(), now), token);
        await RecordAsync(new RunEvent.DataImported(all, _prompts, all, _prompts, all, 0, 0, null), token);
        await RecordAsync(new RunEvent.BaseModelPrepared(all, "base-weights", "inputs", false, 0, 0, 0), token);
        for (var n = 1; n <= Iterations; n++)
        {
            var chunks = Prompts.Chunks(_prompts, ChunkPrompts);
            var entries = n * _prompts * Generations;
            var first = await _artifacts.PutJsonLinesAsync(SamplesOf(n, 0, Math.Min(_prompts, ChunkPrompts)), token);
            var judged = await _artifacts.PutJsonLinesAsync(SamplesOf(n, 0, Math.Min(_prompts, ChunkPrompts)).Select(Judge), token);
            IEnumerable<IterationEvent> events =
            [
                new IterationEvent.PromptsDrawn(all, _prompts, chunks),
                .. Enumerable.Range(0, chunks)
                    .Select(c => new IterationEvent.ChunkFinished(Stage.Sampling, c, first, ChunkPrompts * Generations, 1, 1)),
                new IterationEvent.GenerationsSampled("weights", _config.ConditioningOf(n), _prompts * Generations, 0, 1, 1),
                .. Enumerable.Range(0, chunks)
                    .Select(c => new IterationEvent.ChunkFinished(Stage.Feedback, c, judged, ChunkPrompts * Generations, 1, 1)),
                new IterationEvent.FeedbackCollected("generated", "v1", _prompts * Generations, 0, 0, 0, 0.5, 1),
                new IterationEvent.DataPoolUpdated(all, "pool", entries, _prompts * Generations, [.. Enumerable.Repeat(entries / 5, 5)]),
                new IterationEvent.BatchSelected(all, 5 * _prompts, new Dictionary<string, int>()),
                new IterationEvent.PolicyTrained(all, $"weights-{n}", all, _config.Training.Steps, 1, 0, 0, 1, 1),
            ];
            await _ledger.StartUnprojectedAsync(new(Run, n), events, token);
        }
    }

    /// <summary>
    /// Samples per second through the whole path of a finished chunk: artifact read and verified, rows copied, event and seal, one
    /// transaction each.
    /// The runs are enough for the median chunk to meet compiled code, as nearly all of a long run's do.
    /// </summary>
    private async Task<(double Sampled, double Judged, double Together)> IngestAsync(CancellationToken token)
    {
        const int Runs = 5, Chunks = 40, PromptsEach = 320;
        var (sampling, feedback) = (new List<double>(), new List<double>());
        var chunks = new List<(ArtifactRef Samples, ArtifactRef Judgements)>();
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            Sample[] samples = [.. SamplesOf(1, chunk * PromptsEach, PromptsEach)];
            chunks.Add(
                (await _artifacts.PutJsonLinesAsync(samples, token), await _artifacts.PutJsonLinesAsync(samples.Select(Judge), token)));
        }

        for (var number = 1; number <= Runs; number++)
        {
            var run = await StartAsync($"{Run}-ingested-{number}");
            foreach (var (chunk, (samples, _)) in chunks.Index())
            {
                sampling.Add(await RecordAsync(run, Stage.Sampling, chunk, samples));
            }

            foreach (var (chunk, (_, judgements)) in chunks.Index())
            {
                feedback.Add(await RecordAsync(run, Stage.Feedback, chunk, judgements));
            }
        }

        // A worker judges two chunks at once; here two runs, so that neither waits for the other's stream.
        var together = new List<double>();
        for (var round = 1; round <= Runs; round++)
        {
            string[] runs = [await StartAsync($"{Run}-together-{round}-a"), await StartAsync($"{Run}-together-{round}-b")];
            var watch = Stopwatch.StartNew();
            await Task.WhenAll(runs.Select(run => Task.Run(async () =>
            {
                foreach (var (chunk, (samples, judgements)) in chunks.Index())
                {
                    await RecordAsync(run, Stage.Sampling, chunk, samples);
                    await RecordAsync(run, Stage.Feedback, chunk, judgements);
                }
            }, token)));
            together.Add(watch.Elapsed.TotalSeconds);
        }

        return (
            PromptsEach * Generations / Median.Of(sampling), PromptsEach * Generations / Median.Of(feedback),
            2 * Chunks * PromptsEach * Generations / Median.Of(together));

        async Task<string> StartAsync(string run)
        {
            await _ledger.RecordAsync<RunEvent.RunStarted>(
                run, _ => null, new RunEvent.RunStarted(run, _config, "", new Dictionary<string, string>(), DateTimeOffset.UtcNow),
                token: token);
            await _ledger.RecordAsync<RunEvent.BaseModelPrepared>(
                run, _ => null,
                new RunEvent.BaseModelPrepared(new ArtifactRef(new string('0', 64), 0, ""), "base-weights", "", false, 0, 0, 0),
                token: token);
            return run;
        }

        async Task<double> RecordAsync(string run, Stage stage, int chunk, ArtifactRef artifact)
        {
            var watch = Stopwatch.StartNew();
            await _ledger.RecordAsync<IterationEvent.ChunkFinished>(
                new IterationRef(run, 1), _ => null,
                new IterationEvent.ChunkFinished(stage, chunk, artifact, PromptsEach * Generations, 1, 1), token);
            return watch.Elapsed.TotalSeconds;
        }
    }

    private async Task GenerateAsync(CancellationToken token)
    {
        await using var connection = await _ledger.Source.OpenConnectionAsync(token);
        var random = new Random(2);
        await using (var import = await connection.BeginBinaryImportAsync(
            "copy alt_samples (run, iteration, prompt, k, chunk, policy, conditioning, seed, finish_reason, tokens, outcome, reward, "
                + "quantiles, decisions, training_steps) from stdin (format binary)",
            token))
        {
            for (var n = 1; n <= Iterations; n++)
            {
                var policy = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([(byte)n]));
                for (var i = 0; i < _prompts * Generations; i++)
                {
                    var reward = random.NextDouble();
                    int[] quantiles = [.. Enumerable.Range(n, Iterations - n + 1)
                        .Select(pool => Math.Clamp((int)((1 - reward) * 5 + (pool - n) * 0.1), 0, 4))];
                    await import.StartRowAsync(token);
                    await import.WriteAsync(Run, NpgsqlDbType.Text, token);
                    await import.WriteAsync(n, NpgsqlDbType.Integer, token);
                    await import.WriteAsync(i / Generations, NpgsqlDbType.Integer, token);
                    await import.WriteAsync(i % Generations, NpgsqlDbType.Integer, token);
                    await import.WriteAsync(i / Generations / ChunkPrompts, NpgsqlDbType.Integer, token);
                    await import.WriteAsync(policy, NpgsqlDbType.Text, token);
                    await import.WriteAsync(_config.Feedback.Tags[0], NpgsqlDbType.Text, token);
                    await import.WriteAsync(1L, NpgsqlDbType.Bigint, token);
                    await import.WriteAsync(nameof(FinishReason.Stop), NpgsqlDbType.Text, token);
                    await import.WriteAsync(20, NpgsqlDbType.Integer, token);
                    await import.WriteAsync(nameof(FeedbackOutcome.Labelled), NpgsqlDbType.Text, token);
                    await import.WriteAsync(reward, NpgsqlDbType.Double, token);
                    await import.WriteAsync(quantiles, NpgsqlDbType.Array | NpgsqlDbType.Integer, token);
                    await import.WriteAsync(
                        Array.ConvertAll(quantiles, q => q == 0 ? nameof(SelectedSample.Selected) : nameof(LeftOut.OverQuota)),
                        NpgsqlDbType.Array | NpgsqlDbType.Text, token);
                    await import.WriteAsync(1, NpgsqlDbType.Integer, token);
                }
            }

            await import.CompleteAsync(token);
        }

        foreach (var sql in new[]
        {
            $"""
            insert into alt_training_steps (run, training, step, position, iteration, prompt, k)
            select '{Run}', t, s, p, 1 + (t * s + p) % {Iterations}, (t * 7919 + s * 64 + p) % {_prompts}, p % {Generations}
            from generate_series(1, {Iterations}) t, generate_series(1, 100) s, generate_series(0, 63) p
            """,
            $"""
            insert into alt_judge_costs (run, iteration, judge, version, outcome, calls, attempts, input_tokens, output_tokens, cost)
            select '{Run}', n, 'generated', 'v1', 'Labelled', {_prompts * Generations}, {_prompts * Generations}, 1, 1, 0.1
            from generate_series(1, {Iterations}) n
            """,
            $"""
            insert into alt_pool_moves (run, from_iteration, to_iteration, from_quantile, to_quantile, samples)
            select '{Run}', a, b, q, r, 1000
            from generate_series(1, {Iterations}) a, generate_series(1, {Iterations}) b, generate_series(0, 4) q, generate_series(0, 4) r
            where a < b
            """,
            "vacuum (analyze)",
        })
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(token);
        }
    }

    private static IEnumerable<Sample> SamplesOf(int iteration, int first, int count) =>
        from prompt in Enumerable.Range(first, count)
        from k in Enumerable.Range(0, Generations)
        select new Sample(
            new SampleId(iteration, prompt, k), string.Create(
                CultureInfo.InvariantCulture, $" a generated text of about twenty tokens for prompt {prompt}, the {k}th one of them"),
            [.. Enumerable.Range(100, 20)], [.. Enumerable.Range(0, 20).Select(t => -0.1f * t)], FinishReason.Stop);

    private static Judgement Judge(Sample sample) =>
        new(sample.Id, new FeedbackOutcome.Labelled(0.5)) { Calls = [new JudgeCall("generated", "v1", sample.ContentHash(), "0.5")] };

    private Task RecordAsync<T>(T @event, CancellationToken token)
        where T : RunEvent => _ledger.RecordAsync<T>(Run, _ => null, @event, token: token);

    [GeneratedRegex(@"(?:using|on) (\w*(?:pkey|pk_|_of_)\w*)")]
    private static partial Regex Index();

    [GeneratedRegex(@"Seq Scan on (\w+)")]
    private static partial Regex SequentialScan();
}

/// <param name="IngestedSamplesPerSecond">
/// By one writer, in the median chunk of 200 with 1,600 samples, each recorded with its rows in one transaction.
/// </param>
/// <param name="JudgedSamplesPerSecond">The same for chunks of their judgements, one call each.</param>
/// <param name="SamplesWithJudgementsPerSecond">Samples and their judgements, by two writers at once.</param>
public sealed record AuditFigures(
    int Samples, double IngestedSamplesPerSecond, double JudgedSamplesPerSecond, double SamplesWithJudgementsPerSecond,
    IReadOnlyList<AuditFigure> Questions);

/// <param name="Milliseconds">The median of 21 answers.</param>
/// <param name="Indexes">The indexes that serve the question's main query.</param>
public sealed record AuditFigure(string Question, double Milliseconds, double SlowestMilliseconds, IReadOnlyList<string> Indexes);
