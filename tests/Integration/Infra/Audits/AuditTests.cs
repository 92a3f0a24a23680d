using Alt.Bench;
using Alt.Domain;
using Alt.Infra.Audits;

namespace Alt.Tests.Infra.Audits;

public sealed class AuditTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task A_pool_at_an_event_is_the_snapshot_that_was_taken_live_then()
    {
        var live = new List<PoolSnapshot>();
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync(), async r =>
            live.Add(await r.Audit.PoolAsync(SmallRun.Id, new Audit.Moment())));
        var events = await run.Audit.EventsAsync(SmallRun.Id, 0, 1000);
        var moments = events.Where(e => e.Type is "data_pool_updated" or "batch_selected").ToArray();

        Assert.Equal(live.Count, moments.Length);
        foreach (var (snapshot, @event) in live.Zip(moments))
        {
            Assert.NotEmpty(snapshot.Samples);
            AssertSame(snapshot, await run.Audit.PoolAsync(SmallRun.Id, new Audit.Moment(Event: @event.Sequence)));
            AssertSame(snapshot, await run.Audit.PoolAsync(SmallRun.Id, new Audit.Moment(Time: @event.At)));
        }

        AssertSame(live[^1], await run.Audit.PoolAsync(SmallRun.Id, new Audit.Moment(Iteration: 2)));
        await Assert.ThrowsAsync<InputException>(() => run.Audit.PoolAsync(SmallRun.Id, new Audit.Moment(Event: moments[0].Sequence - 1)));
    }

    [Fact]
    public async Task A_pool_is_listed_page_by_page()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        var all = (await run.Audit.PoolAsync(SmallRun.Id, new Audit.Moment())).Samples;
        var pages = new List<PoolSnapshotEntry>();
        while (true)
        {
            var page = await run.Audit.PoolAsync(
                SmallRun.Id, new Audit.Moment(), limit: 4, after: pages.Count == 0 ? null : SampleRef.Parse(pages[^1].Id).Id);
            if (page.Samples.Count == 0)
            {
                break;
            }

            pages.AddRange(page.Samples);
        }

        Assert.Equal(all, pages);
    }

    [Fact]
    public async Task A_samples_life_has_everything_that_was_recorded_of_it()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        var twoCalls = Assert.Single((await run.Audit.SqlAsync(
            "select prompt, k from alt_judge_calls where iteration = 2 and call = 1", 10, TimeSpan.FromSeconds(10))).Rows);
        var id = new SampleRef(SmallRun.Id, new SampleId(2, (int)twoCalls[0]!, (int)twoCalls[1]!));

        var life = await run.Audit.SampleAsync(id);

        Assert.Equal((id.ToString(), $"prompt {id.Id.Prompt}", $"text {id.Id}"), (life.Id, life.Prompt, life.Text));
        Assert.Equal(("weights-1", "good", 1L), (life.Policy, life.Conditioning, life.Seed));
        Assert.Equal(
            (nameof(FeedbackOutcome.Labelled), 2, "a reply", 0.001m),
            (life.Outcome, life.Calls.Count, life.Calls[1].Reply, life.Calls[1].Cost));
        var pool = Assert.Single(life.Pools);
        Assert.Equal((2, SmallRun.Config.Feedback.Tags[pool.Quantile]), (pool.Iteration, pool.Feedback));
        var first = await run.Audit.SampleAsync(id with { Id = new SampleId(1, (await FirstOfIterationOneAsync(run)).Prompt, 1) });
        Assert.Equal(("base-weights", null), (first.Policy, first.Conditioning));
    }

    [Fact]
    public async Task Costs_and_differences_are_those_of_the_events_and_calls()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());

        var cost = await run.Audit.CostAsync(SmallRun.Id);
        var diff = await run.Audit.DiffAsync(SmallRun.Id, 1, 2);
        var back = await run.Audit.DiffAsync(SmallRun.Id, 2, 1);

        Assert.Equal([null, 1, 2], cost.Rows.Select(r => r.Iteration));
        // 12 samples: one without a call, one with two.
        Assert.All(cost.Rows.Skip(1), r =>
            Assert.Equal((12L, 24L, 1200L, 60L, 0.012m), (r.JudgeCalls, r.JudgeAttempts, r.InputTokens, r.OutputTokens, r.Cost)));
        Assert.Equal(0.024m, cost.Total.Cost);
        Assert.Equal(("9", "18"), (Of(diff, "pool entries").From, Of(diff, "pool entries").To));
        Assert.Equal(("weights-1", "weights-2"), (Of(diff, "weights").From, Of(diff, "weights").To));
        Assert.Equal(9, diff.Moves.Sum(m => m.Samples));
        Assert.Equal(diff.Moves.Select(m => (m.From, m.To, m.Samples)).Order(), back.Moves.Select(m => (m.To, m.From, m.Samples)).Order());

        static Figure Of(IterationDiff diff, string name) => diff.Figures.Single(f => f.Name == name);
    }

    [Fact]
    public async Task Following_a_run_gives_every_event_once_and_ends_with_the_run()
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        await run.StartAsync();
        var followed = new List<RecordedEvent>();
        var following = Task.Run(async () =>
        {
            await foreach (var e in run.Audit.FollowAsync(SmallRun.Id, after: 0, limit: 5))
            {
                followed.Add(e);
            }
        });

        await run.IterateAsync(1);
        await run.Ledger.RecordAsync<RunEvent.RunStopped>(SmallRun.Id, _ => null, new RunEvent.RunStopped(DateTimeOffset.UnixEpoch));
        await following.WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal((await run.Audit.EventsAsync(SmallRun.Id, 0, 1000)).Select(e => e.Sequence), followed.Select(e => e.Sequence));
    }

    [Theory]
    [InlineData("delete from alt_samples", "read-only")]
    [InlineData("select 1; commit; delete from alt_samples", "multiple commands")]
    [InlineData("copy (select 1) to program 'true'", "must be superuser")]
    [InlineData("select pg_read_file('/etc/hostname')", "denied")]
    [InlineData("select pg_sleep(60)", "took longer")]
    [InlineData("selec", "syntax error")]
    public async Task A_query_can_read_tables_and_nothing_else(string sql, string refusal)
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());

        var error = await Assert.ThrowsAsync<InputException>(() => run.Audit.SqlAsync(sql, 10, TimeSpan.FromMilliseconds(300)));

        Assert.Contains(refusal, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_gives_as_many_rows_as_asked_for_and_says_that_there_are_more()
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());

        var some = await run.Audit.SqlAsync("select n from generate_series(1, 10000) n", 3, TimeSpan.FromSeconds(60));
        var all = await run.Audit.SqlAsync("select n, null from generate_series(1, 3) n;", 3, TimeSpan.FromSeconds(60));

        Assert.Equal([1, 2, 3], some.Rows.Select(r => (int)r[0]!));
        Assert.True(some.More);
        Assert.Equal((3, false, null), (all.Rows.Count, all.More, all.Rows[0][1]));
    }

    [Theory]
    [InlineData("small/1/2")]
    [InlineData("small/1/2/x")]
    [InlineData("/1/2/3")]
    [InlineData("small/1/-2/3")]
    public void What_is_no_sample_id_is_refused(string text) => Assert.Throws<InputException>(() => SampleRef.Parse(text));

    [Fact]
    public async Task The_benchmark_asks_every_question_of_a_generated_run()
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());

        var figures = await new AuditBenchmark(run.Ledger, run.Artifacts, 10_000).RunAsync(_ => { });

        Assert.Equal(10_000, figures.Samples);
        Assert.Equal(9, figures.Questions.Count);
        Assert.Equal(10_000L, Assert.Single(
            (await run.Audit.SqlAsync("select count(*) from alt_samples where run = 'bench'", 1, TimeSpan.FromSeconds(10))).Rows)[0]);
        Assert.All(figures.Questions, q => Assert.NotEmpty(q.Indexes));
    }

    private static async Task<SampleId> FirstOfIterationOneAsync(SmallRun run)
    {
        var row = (await run.Audit.SqlAsync(
            "select prompt, k from alt_samples where iteration = 1 order by 1, 2 limit 1", 1, TimeSpan.FromSeconds(10))).Rows[0];
        return new SampleId(1, (int)row[0]!, (int)row[1]!);
    }

    private static void AssertSame(PoolSnapshot expected, PoolSnapshot actual)
    {
        Assert.Equal(expected.Samples, actual.Samples);
        Assert.Equal(
            (expected.PoolHash, expected.Event, expected.Entries, expected.Selected),
            (actual.PoolHash, actual.Event, actual.Entries, actual.Selected));
    }
}
