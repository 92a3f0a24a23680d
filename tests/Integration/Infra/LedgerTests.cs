using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Serialization;
using Alt.Domain;
using Alt.Infra;
using Alt.Tests.Infra.Audits;
using Marten.Exceptions;
using Npgsql;

namespace Alt.Tests.Infra;

/// <summary>What the record guarantees to concurrent writers, whatever event store keeps it.</summary>
public sealed class LedgerTests(PostgresFixture postgres, ClusterHome home) : IClassFixture<PostgresFixture>, IClassFixture<ClusterHome>
{
    private const int Writers = 4, ChunksOfEach = 8;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("alt-ledger-");

    [Fact]
    public async Task Processes_that_open_a_new_record_at_once_create_it_once()
    {
        var database = await postgres.CreateDatabaseAsync();
        var ledgers = await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => OpenAsync(database)));

        foreach (var ledger in ledgers)
        {
            Assert.Empty(await ledger.RunsAsync());
            await ledger.DisposeAsync();
        }
    }

    [Fact]
    public async Task Racing_writers_of_one_fact_agree_on_the_first()
    {
        var database = await postgres.CreateDatabaseAsync();
        var ledgers = await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => OpenAsync(database)));
        for (var chunk = 0; chunk < ChunksOfEach; chunk++)
        {
            var number = chunk;
            var answers = await Task.WhenAll(ledgers.Select((ledger, writer) => RecordAsync(ledger, number, tokens: writer)));
            Assert.Single(answers.Distinct());
        }

        Assert.Equal(Enumerable.Range(0, ChunksOfEach), await ChunksAsync(ledgers[0]));
        await DisposeAsync(ledgers);
    }

    [Fact]
    public async Task Racing_writers_of_different_facts_lose_none_and_repeat_none()
    {
        var database = await postgres.CreateDatabaseAsync();
        var ledgers = await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => OpenAsync(database)));

        await Task.WhenAll(ledgers.Select((ledger, writer) => Task.Run(async () =>
        {
            for (var i = 0; i < ChunksOfEach; i++)
            {
                await RecordAsync(ledger, writer * ChunksOfEach + i, tokens: writer);
            }
        })));

        Assert.Equal(Enumerable.Range(0, Writers * ChunksOfEach), (await ChunksAsync(ledgers[0])).Order());
        await DisposeAsync(ledgers);
    }

    [Fact]
    public async Task Every_fact_whose_recording_returned_outlives_a_kill_of_the_server()
    {
        const int Kills = 2, RecordedBeforeEach = 40;
        await using var cluster = await PostgresCluster.JoinAsync(home.Path);
        await using var ledger = await OpenAsync(cluster.ConnectionString());
        using var stop = new CancellationTokenSource();
        var recorded = 0;
        var writer = Task.Run(WriteAsync);

        for (var kill = 1; kill <= Kills; kill++)
        {
            SpinWait.SpinUntil(() => Volatile.Read(ref recorded) >= kill * RecordedBeforeEach || writer.IsFaulted);
            using var server = Process.GetProcessById(Postmaster.ProcessIdOf(home.Path)!.Value);
            server.Kill();
            await server.WaitForExitAsync();
            await cluster.EnsureRunningAsync();
        }

        await stop.CancelAsync();
        await writer;
        Assert.Equal(Enumerable.Range(0, recorded), await ChunksAsync(ledger));

        async Task WriteAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await RecordAsync(ledger, recorded, tokens: 0);
                    Interlocked.Increment(ref recorded);
                }
                catch (Exception e) when (e is NpgsqlException or MartenException)
                {
                    // Whether it was recorded is unknown; recording it again shows it.
                    await cluster.EnsureRunningAsync();
                }
            }
        }
    }

    [Fact]
    public async Task A_run_with_any_kind_of_judge_is_read_as_it_was_recorded()
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        JudgeConfig[] kinds = [.. typeof(JudgeConfig).GetCustomAttributes<JsonDerivedTypeAttribute>()
            .Select(kind => (JudgeConfig)Activator.CreateInstance(kind.DerivedType)!)];
        JudgeConfig[] judges =
        [
            .. kinds, new JudgeConfig.Rules { List = [new() { MinLength = 3, Reward = 1 }], Otherwise = .5 },
            new JudgeConfig.Ensemble { Members = [.. kinds.Select(kind => new EnsembleMember { Judge = kind })] },
        ];
        Assert.True(kinds.Length >= 9, $"{kinds.Length} kinds");
        foreach (var (i, judge) in judges.Index())
        {
            var config = SmallRun.Config with { Feedback = SmallRun.Config.Feedback with { Judge = judge } };
            var name = $"judged-{i}";
            await run.Ledger.RecordAsync<RunEvent.RunStarted>(name, _ => null, new(
                name, config, AltJson.Hash(config), new Dictionary<string, string>(), DateTimeOffset.UnixEpoch));

            Assert.Equal(AltJson.Hash(config), AltJson.Hash((await run.Ledger.RunAsync(name)).Config));
        }
    }

    [Fact]
    public async Task A_run_of_another_build_is_refused_with_what_can_be_done()
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        await run.StartAsync();
        await ExecuteAsync(
            run.ConnectionString, "update mt_events set data = jsonb_set(data, '{Config,Feedback,Provider}', '{}') where type = 'run_started'");

        var refusal = await Assert.ThrowsAsync<LedgerException>(() => run.Ledger.RunAsync(SmallRun.Id));

        Assert.Contains("the stream run-small was written by another build: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Provider", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("ALT_HOME=", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_was_archived_is_damage_and_takes_no_more_facts()
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        await run.StartAsync();
        await ExecuteAsync(run.ConnectionString, "select mt_archive_stream('run-small')");

        var read = await Assert.ThrowsAsync<LedgerException>(() => run.Ledger.ExistingRunAsync(SmallRun.Id));
        var written = await Assert.ThrowsAsync<LedgerException>(
            () => run.Ledger.RecordAsync(SmallRun.Id, _ => null, new RunEvent.IterationFinished(1, "weights")));

        Assert.All([read, written], e => Assert.Contains("run-small", e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Facts_are_stored_under_names_that_outlive_their_classes()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());

        var names = await run.Audit.SqlAsync("select distinct type from mt_events order by 1", 100, TimeSpan.FromSeconds(10));

        Assert.Equal(
            [
                "base_model_prepared", "batch_selected", "chunk_finished", "data_imported", "data_pool_updated", "feedback_collected",
                "generations_sampled", "iteration_finished", "policy_trained", "prompts_drawn", "run_started",
            ],
            names.Rows.Select(row => row[0]));
    }

    private Task<Ledger> OpenAsync(string database) =>
        Ledger.OpenAsync(database, new ArtifactStore(Path.Combine(_folder.FullName, "artifacts")));

    private static Task<IterationEvent.ChunkFinished> RecordAsync(Ledger ledger, int chunk, long tokens) => ledger.RecordAsync(
        new IterationRef("raced", 1), state => state.Chunk(Stage.Evaluation, chunk),
        new IterationEvent.ChunkFinished(
            Stage.Evaluation, chunk, new ArtifactRef(new string('0', 64), 1, ArtifactStore.Bytes), 1, tokens, 0));

    private static async Task<IEnumerable<int>> ChunksAsync(Ledger ledger) =>
        (await ledger.IterationEventsAsync(new("raced", 1))).Cast<IterationEvent.ChunkFinished>().Select(e => e.Chunk);

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task DisposeAsync(IEnumerable<Ledger> ledgers)
    {
        foreach (var ledger in ledgers)
        {
            await ledger.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }
}
