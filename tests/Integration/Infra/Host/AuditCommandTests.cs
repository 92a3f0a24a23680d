using System.Text.Json;
using Alt.Infra;

namespace Alt.Tests.Infra.Host;

/// <summary>The commands that ask the record, on a real run.</summary>
[Collection(HostTests.Name)]
public sealed class AuditCommandTests(FinishedRun run)
{
    private Installation Installation => run.Installation;

    [Fact]
    public async Task A_sample_is_found_in_the_pool_and_its_life_told()
    {
        var pool = await JsonAsync("audit", "pool", FinishedRun.Id, "--iteration", "2", "--limit", "3");
        Assert.Equal(run.Report.PoolHash, pool.GetProperty("poolHash").GetString());
        Assert.Equal(3, pool.GetProperty("samples").GetArrayLength());
        var id = pool.GetProperty("samples")[2].GetProperty("id").GetString()!;

        var life = await JsonAsync("audit", "sample", id);
        var fate = await JsonAsync("audit", "why-not", id);

        Assert.Equal(id, life.GetProperty("id").GetString());
        Assert.NotEmpty(life.GetProperty("prompt").GetString()!);
        Assert.NotEmpty(life.GetProperty("text").GetString()!);
        Assert.NotEmpty(life.GetProperty("tokens").EnumerateArray());
        Assert.Equal("text-classifier", Assert.Single(life.GetProperty("calls").EnumerateArray()).GetProperty("judge").GetString());
        Assert.Equal(2, life.GetProperty("pools").GetArrayLength());
        Assert.Equal(life.GetProperty("fate").GetString(), fate.GetProperty("fate").GetString());
    }

    [Fact]
    public async Task The_table_the_page_after_it_and_CSV_show_the_same_pool()
    {
        var csv = (await TextAsync("audit", "pool", FinishedRun.Id, "--limit", "0", "--csv"))
            .Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var table = await TextAsync("audit", "pool", FinishedRun.Id, "--limit", "1", "--after", csv[1].Split(',')[0]);

        Assert.Equal("sample,reward,quantile,finish reason,decision", csv[0]);
        Assert.Equal(csv.Length - 1, csv.Skip(1).Distinct().Count());
        Assert.Contains(csv[2].Split(',')[0], table, StringComparison.Ordinal);
        Assert.Contains($"1 of {csv.Length - 1} entries", table, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_question_has_an_answer_as_a_table_as_JSON_and_as_CSV()
    {
        foreach (var question in new[]
        {
            "events calm", "diff calm 1 2", "cost calm", "pool calm", "sql|select run, count(*) from alt_samples group by 1"
        })
        {
            string[] arguments = ["audit", .. question.Split(question.Contains('|', StringComparison.Ordinal) ? '|' : ' ')];
            Assert.NotEmpty(await TextAsync(arguments));
            Assert.Equal(JsonValueKind.Object, (await JsonAsync(arguments)).ValueKind);
            var lines = (await TextAsync([.. arguments, "--csv"])).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
            Assert.True(lines.Length > 1, question);
        }
    }

    [Fact]
    public async Task Following_a_finished_run_prints_its_events_and_ends()
    {
        var all = await JsonAsync("audit", "events", FinishedRun.Id, "--after", "0", "--limit", "10000");
        var lines = (await TextAsync("audit", "events", FinishedRun.Id, "--after", "0", "--follow", "--json"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(
            all.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("sequence").GetInt64()),
            lines.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("sequence").GetInt64()));
        Assert.Contains("run_finished", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rebuild_makes_every_row_of_the_run()
    {
        var all = (await JsonAsync("audit", "rebuild")).GetProperty("rows");
        var samples = await CountAsync("alt_samples");

        Assert.Equal(run.Report.Iterations.Sum(i => i.Samples), samples);
        Assert.Equal(2 * 12 * 16, await CountAsync("alt_training_steps"));
        Assert.True(all.GetProperty("alt_samples").GetInt64() >= samples);

        async Task<int> CountAsync(string table) =>
            (await JsonAsync("audit", "sql", $"select count(*) from {table} where run = '{FinishedRun.Id}'"))
                .GetProperty("rows")[0][0].GetInt32();
    }

    [Fact]
    public async Task A_finished_run_verifies_against_its_certificate()
    {
        var report = await JsonAsync("verify", FinishedRun.Id);

        Assert.Empty(report.GetProperty("problems").EnumerateArray());
        Assert.True(report.GetProperty("certified").GetInt32() >= 4);
        Assert.True(report.GetProperty("artifacts").GetInt32() > 20);
    }

    [Theory]
    [InlineData("prompt-only", "prompt")]
    [InlineData("prompt-completion", "prompt completion")]
    [InlineData("unpaired-preference", "prompt completion label")]
    [InlineData("preference", "prompt chosen rejected")]
    public async Task Exports_have_the_columns_of_their_TRL_type(string type, string columns)
    {
        var path = Installation.PathOf($"{type}.jsonl");

        var answer = await JsonAsync("export", FinishedRun.Id, "--format", "trl", "--type", type, "--out", path);

        var rows = (await File.ReadAllLinesAsync(path)).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.NotEmpty(rows);
        Assert.Equal(rows.Length, answer.GetProperty("rows").GetInt32());
        Assert.All(rows, row => Assert.Equal(columns.Split(' '), row.EnumerateObject().Select(p => p.Name)));
        if (type == "preference")
        {
            Assert.All(rows, row => Assert.NotEqual(row.GetProperty("chosen").GetString(), row.GetProperty("rejected").GetString()));
        }
    }

    [Fact]
    public async Task An_export_as_JSON_lines_has_every_pool_entry_with_its_decision()
    {
        var path = Installation.PathOf("samples.jsonl");
        await JsonAsync("export", FinishedRun.Id, "--format", "jsonl", "--iteration", "1", "--out", path);

        var rows = (await File.ReadAllLinesAsync(path))
            .Select(line => JsonSerializer.Deserialize<ExportedSample>(line, AltJson.Options)!).ToArray();

        var pool = await JsonAsync("audit", "pool", FinishedRun.Id, "--iteration", "1", "--limit", "0");
        Assert.Equal(pool.GetProperty("samples").EnumerateArray().Select(s => s.GetProperty("id").GetString()), rows.Select(r => r.Id));
        Assert.Equal(pool.GetProperty("selected").GetInt32(), rows.Count(r => r.Selected));
    }

    [Fact]
    public async Task What_cannot_be_asked_is_one_line_and_exit_code_2()
    {
        foreach (var (command, names) in new[]
        {
            ("audit sample nonsense", "RUN/ITERATION/PROMPT/K"), ("audit sample calm/1/0/99", "no sample 'calm/1/0/99'"),
            ("audit pool nowhere", "no run 'nowhere'"),
            ("audit pool calm --iteration 9", "no pool in iteration 9"), ("audit pool calm --iteration 1 --at-event 5", "one of them"),
            ("audit diff calm 1 7", "iteration 7"),
            ("audit sql selec", "syntax error"), ("export calm --format parquet --out x", "parquet"),
            ("export calm --format jsonl --iteration 0 --out x", "iteration 0"),
            ("export calm --format jsonl --out no/such/folder/x", "no/such/folder"), ("erase --prompt calm", "RUN/PROMPT"),
            ("erase --prompt calm/100000", "no prompt 100000"),
            ("verify calm --certificate none", "no such file"), ("restore none.tar", "none.tar"),
            ("backup no/such/folder/x", "no/such/folder"),
        })
        {
            var end = await Installation.RunAsync(command.Split(' '));

            Assert.True(end.ExitCode == 2, $"{command}: {end.ExitCode} {end.Errors}");
            Assert.Contains(names, end.OnlyLine, StringComparison.Ordinal);
        }
    }

    private async Task<string> TextAsync(params string[] arguments)
    {
        var end = await Installation.RunAsync(arguments);
        Assert.True(end.ExitCode == 0, end.Errors);
        return end.Output;
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments) =>
        JsonDocument.Parse(await TextAsync([.. arguments, "--json"])).RootElement;
}
