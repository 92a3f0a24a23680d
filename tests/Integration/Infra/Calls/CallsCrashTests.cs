using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Alt.Infra.Calls;
using Alt.Rehearsal;
using Npgsql;
using Xunit.Abstractions;

namespace Alt.Tests.Infra.Calls;

public sealed class CallsCrashTests(PostgresFixture postgres, ITestOutputHelper output) : IClassFixture<PostgresFixture>
{
    private const int Requests = 20_000, Workers = 2;
    private static readonly string[] Wrong = ["429=.06", "429-retry-after=.06", "500=.06", "slow=.02", "dropped=.05", "truncated=.05"];

    [Fact]
    public async Task Every_request_ends_once_is_billed_once_and_stays_within_the_quota_while_workers_are_killed()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        await using (var create = source.CreateCommand(CallsWorker.Table))
        {
            await create.ExecuteNonQueryAsync();
        }

        await using var server = await RehearsalServer.StartAsync(new() { Faults = Faults.Parse(Wrong, seed: 1) });
        var clock = Stopwatch.StartNew();
        RunningProgram[] workers = [.. Enumerable.Range(0, Workers).Select(i => Start(server, database, i))];
        try
        {
            // One after the other, each in the middle of its work.
            for (var i = 0; i < Workers; i++)
            {
                var moment = (i + 1) * Requests / (Workers + 1);
                await Wait.ForAsync(() => server.Counts.Requests > moment, $"{moment} requests");
                Assert.False(workers[i].HasEnded, workers[i].Errors);
                await workers[i].DisposeAsync();
                workers[i] = Start(server, database, i);
            }

            foreach (var worker in workers)
            {
                var end = await worker.EndAsync();
                Assert.True(end.ExitCode == 0, end.Errors);
            }
        }
        finally
        {
            foreach (var worker in workers)
            {
                await worker.DisposeAsync();
            }
        }

        var counts = server.Counts;
        output.WriteLine($"{clock.Elapsed}, {counts}, {string.Join(' ', counts.Faults)}");
        var ended = await OutcomesAsync(source);
        output.WriteLine(string.Join(' ', ended.Values.CountBy(o => o.Kind)));
        Assert.Equal(Enumerable.Range(0, Requests), ended.Keys.Order());
        Assert.True(counts.LargestMinute <= CallsWorker.Limits.RequestsPerMinute, $"{counts.LargestMinute} requests within a minute");
        Assert.InRange(counts.MostAtOnce, 1, CallsWorker.Limits.Concurrency);

        // Those that have failed are drained as a user would, until the service has answered all.
        await using var calls = await RemoteCalls.OpenAsync(
            database, new() { Delay = TimeSpan.FromMilliseconds(20), LongestDelay = TimeSpan.FromMilliseconds(200) });
        var again = new CallsWorker.Asker(calls, server.Address);
        for (var failed = FailedIn(ended); failed.Length > 0; failed = FailedIn(ended = await OutcomesAsync(source)))
        {
            await using (var forget = source.CreateCommand("delete from outcomes where request = any($1)"))
            {
                forget.Parameters.Add(new() { Value = failed });
                await forget.ExecuteNonQueryAsync();
            }

            var outcomes = Channel.CreateUnbounded<(int, CallOutcome)>();
            await Task.WhenAll(failed.Select(async i => outcomes.Writer.TryWrite((i, await again.AskAsync(i)))));
            outcomes.Writer.Complete();
            await CallsWorker.RecordAsync(source, outcomes.Reader);
        }

        counts = server.Counts;
        Assert.Equal((Requests, Requests, 0), (counts.Contents, counts.Billed, counts.BilledTwice));
        Assert.All(ended, o => Assert.Equal(FaultFree(o.Key), o.Value.BodyHash));
        var spend = Assert.Single(await CallSpends.ReadAsync(database, CallsWorker.Run));
        var billed = new CallAmount(
            ((counts.InputTokens * CallsWorker.Limits.InputPrice) + (counts.OutputTokens * CallsWorker.Limits.OutputPrice)) / 1_000_000,
            counts.InputTokens + counts.OutputTokens);
        Assert.Equal(new CallSpend(1, billed, default, default), spend);
        Assert.Equal(billed.Money, ended.Values.Sum(o => o.Cost));
    }

    private static int[] FailedIn(Dictionary<int, (string Kind, string BodyHash, decimal Cost)> outcomes) =>
        [.. outcomes.Where(o => o.Value.Kind != nameof(CallOutcome.Answered)).Select(o => o.Key)];

    private static string FaultFree(int request)
    {
        using var question = JsonDocument.Parse(CallsWorker.Asker.Body(request));
        return CallsWorker.HashOf(Encoding.UTF8.GetString(RehearsalReplies.Chat(question.RootElement, Fault.None).Body));
    }

    private static RunningProgram Start(RehearsalServer server, string database, int worker) =>
        new(Process.Start(new ProcessStartInfo("dotnet",
        [
            typeof(WorkerProgram).Assembly.Location, CallsWorker.Name, server.Address, database,
            (worker * Requests / Workers).ToString(CultureInfo.InvariantCulture),
            (Requests / Workers).ToString(CultureInfo.InvariantCulture),
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);

    private static async Task<Dictionary<int, (string Kind, string BodyHash, decimal Cost)>> OutcomesAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand("select request, kind, body_hash, cost from outcomes");
        await using var reader = await command.ExecuteReaderAsync();
        var outcomes = new Dictionary<int, (string, string, decimal)>();
        while (await reader.ReadAsync())
        {
            outcomes.Add(reader.GetInt32(0), (reader.GetString(1), reader.GetString(2), reader.GetDecimal(3)));
        }

        return outcomes;
    }
}
