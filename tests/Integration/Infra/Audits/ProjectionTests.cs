using Alt.Domain;
using Alt.Infra;
using Npgsql;

namespace Alt.Tests.Infra.Audits;

public sealed class ProjectionTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Rebuilding_dropped_projections_gives_the_same_rows()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        var before = await run.DumpAsync();
        Assert.All(before, table => Assert.NotEmpty(table.Value));

        await ExecuteAsync(run, $"drop table {string.Join(", ", before.Keys)}");
        await run.Ledger.RebuildAsync();

        Assert.Equal(before, await run.DumpAsync());
    }

    [Fact]
    public async Task Projections_of_another_version_are_rebuilt_when_the_record_is_opened()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        var before = await run.DumpAsync();
        await ExecuteAsync(run, "comment on table alt_samples is 'alt projections 1'; alter table alt_samples drop column policy");

        await using (await Ledger.OpenAsync(run.ConnectionString, run.Artifacts))
        {
            Assert.Equal(before, await run.DumpAsync());
        }
    }

    [Fact]
    public async Task A_rebuild_that_misses_an_artifact_changes_nothing()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        var before = await run.DumpAsync();
        var pool = (await run.Ledger.IterationAsync(new(SmallRun.Id, 2))).DataPool!.Pool;
        File.Delete(run.Artifacts.PathOf(pool));

        var error = await Assert.ThrowsAsync<ArtifactException>(() => run.Ledger.RebuildAsync());

        Assert.Contains(pool.ShortHash, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, await run.DumpAsync());
    }

    [Fact]
    public async Task Every_sample_ends_in_one_outcome_and_every_one_that_is_not_trained_on_has_its_reason()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());

        var samples = await run.Audit.SqlAsync(
            "select iteration, prompt, k, outcome, decisions from alt_samples order by 1, 2, 3", 1000, TimeSpan.FromSeconds(10));

        Assert.Equal(24, samples.Rows.Count);
        var fates = new List<string>();
        foreach (var row in samples.Rows)
        {
            var id = new SampleRef(SmallRun.Id, new SampleId((int)row[0]!, (int)row[1]!, (int)row[2]!));
            var answer = await run.Audit.WhyNotAsync(id);
            Assert.Equal(row[3] is nameof(FeedbackOutcome.Labelled), answer.Pools.Count > 0);
            Assert.Equal(answer.Trained, answer.Pools.Any(p => p.Steps.Count > 0));
            Assert.All(answer.Pools, p => Assert.NotNull(p.Decision));
            fates.Add(answer.Fate);
        }

        foreach (var reason in new[]
        {
            "the judge abstained: no opinion", "could not be understood", "the judge failed: no answer", "token limit",
            "the same text and tokens", "selection.perQuantile = 3", "trained on as 'good'"
        })
        {
            Assert.Contains(fates, fate => fate.Contains(reason, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Training_steps_are_the_batches_that_the_trainer_draws()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        var state = await run.Ledger.IterationAsync(new(SmallRun.Id, 2));
        var selected = await run.Artifacts.ReadJsonLinesAsync<SelectedSample>(state.Selection!.Batch)
            .Where(d => d.Selected).Select(d => d.Id).ToArrayAsync();
        var order = new TrainingOrder(SmallRun.Config.Seed, 2, selected.Length, SmallRun.Config.Training.BatchSize);

        var steps = await run.Audit.SqlAsync(
            "select step, position, iteration, prompt, k from alt_training_steps where training = 2 order by 1, 2", 1000,
            TimeSpan.FromSeconds(10));

        Assert.Equal(
            Enumerable.Range(0, SmallRun.Config.Training.Steps)
                .SelectMany(step => order.Batch(step).Select((i, position) => (Step: step + 1, Position: position, Id: selected[i]))),
            steps.Rows.Select(r => ((int)r[0]!, (int)r[1]!, new SampleId((int)r[2]!, (int)r[3]!, (int)r[4]!))));
    }

    [Fact]
    public async Task Racing_writers_of_one_chunk_record_it_once()
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        await run.StartAsync();
        var samples = await run.Artifacts.PutJsonLinesAsync([new Sample(new SampleId(1, 0, 0), "a text", [1], [0], FinishReason.Stop)]);
        await using var other = await Ledger.OpenAsync(run.ConnectionString, run.Artifacts);

        var recorded = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? run.Ledger : other).RecordAsync(
            new IterationRef(SmallRun.Id, 1), s => s.Chunk(Stage.Sampling, 0),
            new IterationEvent.ChunkFinished(Stage.Sampling, 0, samples, 1, 1, i))));

        Assert.Single(recorded.Distinct());
        Assert.Equal(
            1L, Assert.Single((await run.Audit.SqlAsync("select count(*) from alt_samples", 10, TimeSpan.FromSeconds(10))).Rows)[0]);
    }

    [Fact]
    public async Task A_rebuild_waits_for_writers_and_loses_none_of_their_rows()
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        await run.StartAsync();
        await using var other = await Ledger.OpenAsync(run.ConnectionString, run.Artifacts);
        using var stop = new CancellationTokenSource();
        var rebuilding = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await other.RebuildAsync(CancellationToken.None);
            }
        });

        await run.IterateAsync(1);
        await run.IterateAsync(2);
        await stop.CancelAsync();
        await rebuilding;

        var live = await run.DumpAsync();
        await run.Ledger.RebuildAsync();
        Assert.Equal(live, await run.DumpAsync());
    }

    [Theory]
    [InlineData("delete from mt_events where stream_id = 'run-small' and version = 3", 3)]
    [InlineData("delete from mt_events where stream_id = 'run-small' and version = 2", 2)]
    [InlineData("truncate mt_events", 1)]
    public async Task A_truncated_event_table_is_one_clear_error_and_takes_no_new_event(string damage, int version)
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        await run.StartAsync();
        await ExecuteAsync(run, damage);

        var read = await Assert.ThrowsAsync<LedgerException>(() => run.Ledger.ExistingRunAsync(SmallRun.Id));
        var write = await Assert.ThrowsAsync<LedgerException>(() =>
            run.Ledger.RecordAsync<RunEvent.RunPaused>(SmallRun.Id, _ => null, new RunEvent.RunPaused(DateTimeOffset.UnixEpoch)));

        Assert.All([read, write], error =>
            Assert.Contains($"run-small has lost its event {version}", error.Message, StringComparison.Ordinal));
        Assert.Equal(0L, Assert.Single(
            (await run.Audit.SqlAsync("select count(*) from mt_events where type = 'run_paused'", 1, TimeSpan.FromSeconds(10))).Rows)[0]);
    }

    private static async Task ExecuteAsync(SmallRun run, string sql)
    {
        await using var source = NpgsqlDataSource.Create(run.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
