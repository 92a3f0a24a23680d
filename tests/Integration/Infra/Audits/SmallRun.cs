using Alt.Domain;
using Alt.Infra;
using Alt.Infra.Audits;
using Npgsql;

namespace Alt.Tests.Infra.Audits;

/// <summary>
/// A run of two iterations recorded through the ledger as the activities record one, without a model: 6 prompts, 2 samples each, in chunks
/// of 3 prompts, with every kind of outcome and every reason to be left out.
/// </summary>
internal sealed class SmallRun : IAsyncDisposable
{
    public const string Id = "small";

    public static readonly RunConfig Config = new()
    {
        Iterations = 2,
        Data = new() { Grammar = "none.yaml" },
        Feedback = new() { Tags = ["good", "fair", "bad"] },
        Prompts = new() { PerIteration = 6 },
        Sampling = new() { Generations = 2, ChunkPrompts = 3 },
        Selection = new() { Truncated = TruncatedSamples.Reject, Duplicates = DuplicateSamples.Reject, PerQuantile = 3 },
        Training = new() { Steps = 2, BatchSize = 3 },
    };

    private static readonly (string Table, string Order)[] Tables =
    [
        ("alt_runs", "run"), ("alt_samples", "run, iteration, prompt, k"), ("alt_judge_calls", "run, iteration, prompt, k, call"),
        ("alt_judge_costs", "run, iteration, judge, version, outcome"),
        ("alt_pool_moves", "run, from_iteration, to_iteration, from_quantile, to_quantile"),
        ("alt_training_steps", "run, training, step, position"),
    ];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("alt-ledger-");

    private SmallRun(string connectionString) =>
        (ConnectionString, Artifacts) = (connectionString, new ArtifactStore(Path.Combine(_folder.FullName, "artifacts")));

    public string ConnectionString { get; }

    public ArtifactStore Artifacts { get; }

    public Ledger Ledger { get; private set; } = null!;

    public Audit Audit => new(Ledger, Artifacts);

    public string Folder => _folder.FullName;

    /// <param name="afterPool">Called as soon as a pool, or a selection from it, is recorded.</param>
    public static async Task<SmallRun> RecordAsync(string connectionString, Func<SmallRun, Task>? afterPool = null)
    {
        var run = await OpenAsync(connectionString);
        await run.StartAsync();
        for (var number = 1; number <= Config.Iterations; number++)
        {
            await run.IterateAsync(number, afterPool is null ? null : () => afterPool(run));
        }

        return run;
    }

    public static async Task<SmallRun> OpenAsync(string connectionString)
    {
        var run = new SmallRun(connectionString);
        run.Ledger = await Ledger.OpenAsync(connectionString, run.Artifacts);
        return run;
    }

    public async ValueTask DisposeAsync()
    {
        await Ledger.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    public async Task StartAsync()
    {
        var now = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
        await RecordAsync(new RunEvent.RunStarted(Id, Config, AltJson.Hash(Config), new Dictionary<string, string>(), now));
        var prompts = await Artifacts.PutJsonLinesAsync(Enumerable.Range(0, 8).Select(i => new Prompt(i, $"prompt {i}")));
        var labelled = await Artifacts.PutJsonLinesAsync([new LabelledText(0, "prompt 1", 0), new LabelledText(1, "else", 1)]);
        await RecordAsync(new RunEvent.DataImported(prompts, 8, prompts, 8, labelled, 2, 0, null));
        await RecordAsync(new RunEvent.BaseModelPrepared(
            await Artifacts.PutAsync(new byte[] { 1, 2, 3 }, ArtifactStore.Bytes), "base-weights", "inputs", false, 10, 1, 1));
    }

    public async Task IterateAsync(int number, Func<Task>? afterPool = null)
    {
        var drawn = Prompts.Draw(Config.Seed, number, 8, 6).Select(i => new Prompt(i, $"prompt {i}")).ToArray();
        var erased = (await Ledger.RunAsync(Id)).ErasedIn(number);
        drawn = [.. drawn.Where(p => !erased.Contains(p.Ordinal))];
        var chunks = drawn.Chunk(3).ToArray();
        await RecordAsync(number, new IterationEvent.PromptsDrawn(await Artifacts.PutJsonLinesAsync(drawn), drawn.Length, chunks.Length));
        var samples = new List<Sample>();
        var judged = new List<Judgement>();
        foreach (var (chunk, prompts) in chunks.Index())
        {
            Sample[] part = [.. prompts.SelectMany(p => Enumerable.Range(0, 2).Select(k => Draw(new SampleId(number, p.Ordinal, k))))];
            samples.AddRange(part);
            await RecordAsync(number, new IterationEvent.ChunkFinished(
                Stage.Sampling, chunk, await Artifacts.PutJsonLinesAsync(part), part.Length, part.Sum(s => s.Tokens.Length), 0.5));
        }

        await RecordAsync(number, new IterationEvent.GenerationsSampled(
            "weights", Config.ConditioningOf(number), samples.Count, samples.Count(s => s.FinishReason == FinishReason.Length),
            samples.Sum(s => s.Tokens.Length), 1));
        foreach (var (chunk, part) in samples.Chunk(6).Index())
        {
            Judgement[] judgements = [.. part.Select((s, i) => Judge(s, judged.Count + i))];
            judged.AddRange(judgements);
            await RecordAsync(number, new IterationEvent.ChunkFinished(
                Stage.Feedback, chunk, await Artifacts.PutJsonLinesAsync(judgements), part.Length, 0, 0.25));
        }

        var rewards = judged.Where(j => j.Outcome is FeedbackOutcome.Labelled)
            .ToDictionary(j => j.Id, j => ((FeedbackOutcome.Labelled)j.Outcome).Reward);
        await RecordAsync(number, new IterationEvent.FeedbackCollected(
            "scripted", "v1", rewards.Count, judged.Count(j => j.Outcome is FeedbackOutcome.Abstained),
            judged.Count(j => j.Outcome is FeedbackOutcome.Unparsed), judged.Count(j => j.Outcome is FeedbackOutcome.Failed),
            rewards.Values.Average(), 0.5));
        var kept = number == 1
            ? []
            : await Artifacts.ReadJsonLinesAsync<PoolEntry>((await Ledger.IterationAsync(new(Id, number - 1))).DataPool!.Pool)
                .Select(e => e.Sample).ToArrayAsync();
        var pool = DataPool.Update(
            kept,
            samples.Where(s => rewards.ContainsKey(s.Id))
                .Select(s => new PoolSample(s.Id, s.ContentHash(), rewards[s.Id], s.FinishReason == FinishReason.Length)),
            3);
        await RecordAsync(number, new IterationEvent.DataPoolUpdated(
            await Artifacts.PutJsonLinesAsync(pool), DataPool.Hash(pool), pool.Count, rewards.Count,
            [.. Enumerable.Range(0, 3).Select(q => pool.Count(e => e.Quantile == q))]));
        await (afterPool?.Invoke() ?? Task.CompletedTask);
        var decisions = Selection.Select(pool, Config.Selection, Config.Seed, number, erased);
        await RecordAsync(number, new IterationEvent.BatchSelected(
            await Artifacts.PutJsonLinesAsync(decisions), decisions.Count(d => d.Selected), Selection.LeftOut(decisions)));
        await (afterPool?.Invoke() ?? Task.CompletedTask);
        var checkpoint = await Artifacts.PutAsync(new byte[] { (byte)number }, ArtifactStore.Bytes);
        await RecordAsync(
            number,
            new IterationEvent.PolicyTrained(checkpoint, $"weights-{number}", checkpoint, Config.Training.Steps, 0.5, 0.1, 2, 100, 1));
        await RecordAsync(new RunEvent.IterationFinished(number, $"weights-{number}"));
        await Ledger.CertifyAsync(Id);
    }

    /// <summary>All rows of the projections as text, each table in the order of its key.</summary>
    public async Task<Dictionary<string, string[]>> DumpAsync()
    {
        var dump = new Dictionary<string, string[]>();
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        foreach (var (table, order) in Tables)
        {
            await using var command = source.CreateCommand($"select t::text from {table} t order by {order}");
            await using var reader = await command.ExecuteReaderAsync();
            var rows = new List<string>();
            while (await reader.ReadAsync())
            {
                rows.Add(reader.GetString(0));
            }

            dump[table] = [.. rows];
        }

        return dump;
    }

    private static Sample Draw(SampleId id)
    {
        var tokens = 3 + id.K;
        var text = id is { Iteration: 2, K: 0 } ? $"text {id with { Iteration = 1 }}" : $"text {id}";
        return new Sample(
            id, text, [.. Enumerable.Range(1, tokens)], new float[tokens],
            id.Prompt == 3 && id.K == 1 ? FinishReason.Length : FinishReason.Stop);
    }

    /// <summary>The first three samples of an iteration get no reward, each for another reason; the fourth needed two calls.</summary>
    private static Judgement Judge(Sample sample, int index)
    {
        var call = new JudgeCall(
            "scripted", "v1", $"request {sample.Id}", "a reply")
        { InputTokens = 100, OutputTokens = 5, Cost = 0.001m, Attempts = 2 };
        return index switch
        {
            0 => new Judgement(sample.Id, new FeedbackOutcome.Abstained("no opinion")),
            1 => new Judgement(sample.Id, new FeedbackOutcome.Unparsed("no judgement")) { Calls = [call] },
            2 => new Judgement(sample.Id, new FeedbackOutcome.Failed("no answer")) { Calls = [call with { Reply = null }] },
            3 => new Judgement(sample.Id, Reward(sample)) { Calls = [call, call] },
            _ => new Judgement(sample.Id, Reward(sample)) { Calls = [call] },
        };
    }

    private static FeedbackOutcome.Labelled Reward(Sample sample) =>
        new(Philox.Uniform(new RandomKey(1, sample.Id.Iteration, Stage.Feedback, sample.Id.Prompt, sample.Id.K), 0));

    private Task RecordAsync<T>(T @event)
        where T : RunEvent => Ledger.RecordAsync<T>(Id, _ => null, @event);

    private Task RecordAsync<T>(int iteration, T @event)
        where T : IterationEvent => Ledger.RecordAsync<T>(new IterationRef(Id, iteration), _ => null, @event);
}
