using Alt.Domain;
using Alt.Infra;
using Npgsql;

namespace Alt.Tests.Infra.Audits;

public sealed class VerificationTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    /// <summary>Every column of an event, and changes of it that no constraint stops.</summary>
    private static readonly string[] Flips =
    [
        "id = gen_random_uuid()", "type = type || 'x'", "mt_dotnet_type = null", "tenant_id = 'x'", "is_archived = not is_archived",
        "timestamp = timestamp + interval '1 microsecond'",
        "seq_id = seq_id + 100000", "version = version + 1000", "bdata = '\\x00'", "data = data || '{\"X\": 1}'",
    ];

    [Fact]
    public async Task A_run_that_was_not_tampered_with_verifies()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());

        var report = await VerifyAsync(run);

        Assert.Empty(report.Problems);
        Assert.Equal((await run.Audit.EventsAsync(SmallRun.Id, 0, 1000)).Count, report.Events);
        Assert.True(report.Artifacts > 10);
        Assert.NotEqual(0, report.Certified);
    }

    [Fact]
    public async Task Any_change_of_any_event_is_found_and_the_event_is_named()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        var events = await run.Audit.EventsAsync(SmallRun.Id, 0, 1000);
        var random = new Random(1);
        foreach (var e in events)
        {
            // One way for each event, so that all events and all ways are met without trying every pair.
            var flip = Flips[random.Next(Flips.Length)];
            await using var source = NpgsqlDataSource.Create(run.ConnectionString);
            await ExecuteAsync(source, "create table kept as select * from mt_events where seq_id = $1", e.Sequence);
            await ExecuteAsync(source, $"update mt_events set {flip} where seq_id = $1", e.Sequence);

            var problems = (await VerifyAsync(run)).Problems;

            Assert.True(
                problems.Any(p => p.Contains($"event {e.Version} of {e.Stream}", StringComparison.Ordinal)),
                $"{flip} of event {e.Version} of {e.Stream} gave: {string.Join("; ", problems)}");
            await ExecuteAsync(source, "delete from mt_events where stream_id = $1 and version in ($2, $2 + 1000)", e.Stream, e.Version);
            await ExecuteAsync(source, "insert into mt_events select * from kept; drop table kept");
        }

        Assert.Empty((await VerifyAsync(run)).Problems);
    }

    [Fact]
    public async Task A_flip_of_any_byte_of_any_events_data_is_found()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        await using var source = NpgsqlDataSource.Create(run.ConnectionString);
        var random = new Random(2);
        foreach (var e in await run.Audit.EventsAsync(SmallRun.Id, 0, 1000))
        {
            var data = e.Data.GetRawText();
            var flipped = Flipped(data, random);
            await ExecuteAsync(source, "update mt_events set data = $2::jsonb where seq_id = $1", e.Sequence, flipped);

            var problems = (await VerifyAsync(run)).Problems;

            Assert.Contains(problems, p => p.Contains($"event {e.Version} of {e.Stream}", StringComparison.Ordinal));
            await ExecuteAsync(source, "update mt_events set data = $2::jsonb where seq_id = $1", e.Sequence, data);
        }

        Assert.Empty((await VerifyAsync(run)).Problems);
    }

    [Fact]
    public async Task A_flip_of_any_byte_of_any_artifact_is_found_and_the_artifact_is_named()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        var random = new Random(3);
        foreach (var file in Directory.EnumerateFiles(run.Artifacts.Root, "*", SearchOption.AllDirectories)
            .Where(f => Path.GetFileName(f).Length == 64).ToArray())
        {
            var content = await File.ReadAllBytesAsync(file);
            var flipped = content.ToArray();
            flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
            new FileInfo(file).IsReadOnly = false;
            await File.WriteAllBytesAsync(file, flipped);

            var problem = Assert.Single((await VerifyAsync(run)).Problems);

            Assert.Contains(Path.GetFileName(file), problem, StringComparison.Ordinal);
            Assert.Contains("named by event", problem, StringComparison.Ordinal);
            await File.WriteAllBytesAsync(file, content);
        }

        Assert.Empty((await VerifyAsync(run)).Problems);
    }

    [Theory]
    [InlineData("alt_runs", "update alt_runs set started = started + interval '1 microsecond'", "small")]
    [InlineData("alt_samples", "update alt_samples set reward = reward + 1e-12 where iteration = 2 and outcome = 'Labelled'", "small/2/")]
    [InlineData(
        "alt_samples", "update alt_samples set decisions = array['Selected'] where (iteration, prompt, k) in ((1, 3, 1), (1, 5, 0))",
        "small/1/3/1")]
    [InlineData("alt_judge_calls", "update alt_judge_calls set cost = 0 where iteration = 2", "small/2/")]
    [InlineData(
        "alt_judge_costs", "insert into alt_judge_costs values ('small', 2, 'nobody', 'v1', 'Labelled', 1, 1, 1, 1, 1)",
        "small/2/nobody/v1/Labelled")]
    [InlineData("alt_pool_moves", "update alt_pool_moves set samples = samples + 1", "small/1/2/")]
    [InlineData("alt_training_steps", "delete from alt_training_steps where training = 2 and step = 2 and position = 1", "small/2/2/1")]
    public async Task A_changed_missing_or_added_row_is_named_by_its_table_and_key(string table, string change, string key)
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        await using var source = NpgsqlDataSource.Create(run.ConnectionString);
        await ExecuteAsync(source, change);
        var changed = await run.DumpAsync();

        var problem = Assert.Single((await VerifyAsync(run)).Problems);

        Assert.StartsWith($"{table}: the row {key}", problem, StringComparison.Ordinal);
        Assert.Equal(changed, await run.DumpAsync());
        await run.Ledger.RebuildAsync();
        Assert.Empty((await VerifyAsync(run)).Problems);
    }

    [Fact]
    public async Task A_run_verifies_while_it_continues()
    {
        await using var run = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        await run.StartAsync();
        await using var other = await Ledger.OpenAsync(run.ConnectionString, run.Artifacts);
        var going = Task.Run(async () =>
        {
            await run.IterateAsync(1);
            await run.IterateAsync(2);
        });

        do
        {
            Assert.Empty(await other.DifferencesAsync(SmallRun.Id));
        }
        while (!going.IsCompleted);

        await going;
    }

    [Fact]
    public async Task Deleted_events_and_artifacts_are_named()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        await using var source = NpgsqlDataSource.Create(run.ConnectionString);
        await ExecuteAsync(source, "delete from mt_events where stream_id = 'iteration-small-2' and version >= 8");
        File.Delete(run.Artifacts.PathOf((await run.Ledger.IterationAsync(new(SmallRun.Id, 1))).DataPool!.Pool));

        var problems = (await VerifyAsync(run)).Problems;

        Assert.Contains(problems, p => p.Contains("event 8 of iteration-small-2 is missing", StringComparison.Ordinal));
        Assert.Contains(problems, p =>
            p.Contains("is missing", StringComparison.Ordinal) && p.Contains("data_pool_updated", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Events_that_were_changed_together_with_all_their_seals_are_betrayed_by_the_certificate()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        var copy = Path.Combine(run.Folder, "kept-elsewhere.jsonl");
        File.Copy(new Certificate(run.Artifacts, SmallRun.Id).Path, copy);
        await using var source = NpgsqlDataSource.Create(run.ConnectionString);
        await ExecuteAsync(
            source,
            "update mt_events set data = jsonb_set(data, '{MeanReward}', '0.99') where stream_id = 'iteration-small-1' and "
            + "type = 'feedback_collected'");
        await ExecuteAsync(source, "drop table alt_seals");
        await (await Ledger.OpenAsync(run.ConnectionString, run.Artifacts)).DisposeAsync(); // seals the existing events

        var problem = Assert.Single((await VerifyAsync(run)).Problems);
        Assert.Contains("iteration-small-1", problem, StringComparison.Ordinal);
        Assert.Contains("certificate", problem, StringComparison.Ordinal);

        // An intruder who can also write to the artifacts can make a new certificate; only a copy kept elsewhere shows it.
        File.Delete(new Certificate(run.Artifacts, SmallRun.Id).Path);
        await run.Ledger.CertifyAsync(SmallRun.Id);
        Assert.Empty((await VerifyAsync(run)).Problems);
        Assert.NotEmpty((await new Verification(run.Ledger, run.Artifacts, SmallRun.Id).RunAsync(copy)).Problems);
    }

    [Fact]
    public async Task Sums_that_do_not_hold_are_found_even_where_the_seals_are_right()
    {
        await using var run = await SmallRun.RecordAsync(await postgres.CreateDatabaseAsync());
        await run.Ledger.RecordAsync<IterationEvent.FeedbackCollected>(
            new IterationRef(SmallRun.Id, 2), _ => null, new IterationEvent.FeedbackCollected("scripted", "v1", 10, 1, 1, 1, 0.5, 1));

        var problems = (await VerifyAsync(run)).Problems;

        Assert.Contains(problems, p => p.Contains("iteration 2: the outcomes are not as many as the 12 samples", StringComparison.Ordinal));
    }

    private static Task<VerificationReport> VerifyAsync(SmallRun run) =>
        new Verification(run.Ledger, run.Artifacts, SmallRun.Id).RunAsync();

    /// <summary>The same JSON with one byte of a name or a value changed, so that it is JSON still.</summary>
    private static string Flipped(string json, Random random)
    {
        while (true)
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(json);
            bytes[random.Next(bytes.Length)] ^= 1;
            try
            {
                var text = System.Text.Encoding.UTF8.GetString(bytes);
                using var parsed = System.Text.Json.JsonDocument.Parse(text);
                using var before = System.Text.Json.JsonDocument.Parse(json);
                if (!text.Contains('\uFFFD', StringComparison.Ordinal)
                    && !System.Text.Json.JsonElement.DeepEquals(parsed.RootElement, before.RootElement))
                {
                    return text;
                }
            }
            catch (System.Text.Json.JsonException)
            {
                // The change hit a bracket or a quote; try another byte.
            }
        }
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql, params object[] parameters)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync();
    }
}
