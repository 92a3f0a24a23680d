using System.Diagnostics;
using Npgsql;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Client;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class CrashTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private const int Workflows = 200, Workers = 2, LeastKills = 5;
    private static readonly TimeSpan KillingTime = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Every_workflow_completes_once_while_servers_and_workers_are_killed()
    {
        string database = await server.CreateDatabaseAsync("effects"), queue = $"crash-{Guid.NewGuid():N}";
        await using var effects = NpgsqlDataSource.Create(database);
        await using (var create = effects.CreateCommand(CrashEffects.Table))
        {
            await create.ExecuteNonQueryAsync();
        }

        // The client's own time limit is 10 s; a server on a busy machine takes longer to come back.
        var client = await TemporalClient.ConnectAsync(new(server.Address)
        {
            RpcRetry = new() { MaxInterval = TimeSpan.FromSeconds(1), MaxRetries = 1000, MaxElapsedTime = TimeSpan.FromMinutes(2) },
        });
        RunningProgram[] workers = [.. Enumerable.Range(0, Workers).Select(_ => StartWorker(database, queue))];
        try
        {
            var handles = await Task.WhenAll(Enumerable.Range(0, Workflows).Select(
                i => client.StartWorkflowAsync(
                    (CrashWorkflow w) => w.RunAsync(),
                    new($"crash-{i}-{Guid.NewGuid():N}", queue) { TaskTimeout = TimeSpan.FromSeconds(3) })));
            Task<(string Id, List<Guid> Tokens)[]> results = Task.WhenAll(handles.Select(async h => (h.Id, await h.GetResultAsync())));
            var kills = await KillAsync(workers, () => StartWorker(database, queue), results);

            var ended = await results;
            Assert.True(kills >= LeastKills, $"All was done after {kills} kills.");
            Assert.Equal(
                await RecordedAsync(effects),
                ended.SelectMany(w => w.Tokens.Select((token, step) => KeyValuePair.Create($"{w.Id}/{step}", token))).ToDictionary());
            foreach ((var id, _) in ended)
            {
                HistoryEvent[] history = [.. (await client.GetWorkflowHandle(id).FetchHistoryAsync()).Events];
                HistoryInvariants.Check(history);
                Assert.Equal(EventType.WorkflowExecutionCompleted, history[^1].EventType);
                Assert.Equal(CrashWorkflow.Steps, history.Count(e => e.EventType == EventType.ActivityTaskCompleted));
            }

            Assert.Equal(Workflows, (await client.CountWorkflowsAsync($"TaskQueue = '{queue}'")).Count);
        }
        finally
        {
            foreach (var worker in workers)
            {
                await worker.DisposeAsync();
            }
        }
    }

    /// <summary>Kills a process about every two seconds for a while.</summary>
    private async Task<int> KillAsync(RunningProgram[] workers, Func<RunningProgram> start, Task done)
    {
        var random = new Random(1);
        var clock = Stopwatch.StartNew();
        var kills = 0;
        for (; !done.IsCompleted && (kills < LeastKills || clock.Elapsed < KillingTime); kills++)
        {
            // Waits for no condition: this delay is the random moment.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1000, 3000)));
            var victim = random.Next(Workers + 1);
            if (victim == Workers)
            {
                await server.KillAsync();
            }
            else
            {
                await workers[victim].DisposeAsync();
                workers[victim] = start();
            }
        }

        return kills;
    }

    private RunningProgram StartWorker(string database, string queue) => new(Process.Start(new ProcessStartInfo(
        "dotnet", [typeof(WorkerProgram).Assembly.Location, CrashWorker.Name, server.Address, database, queue])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!);

    private static async Task<Dictionary<string, Guid>> RecordedAsync(NpgsqlDataSource effects)
    {
        await using var command = effects.CreateCommand("SELECT key, token FROM effects");
        await using var reader = await command.ExecuteReaderAsync();
        var recorded = new Dictionary<string, Guid>();
        while (await reader.ReadAsync())
        {
            recorded[reader.GetString(0)] = reader.GetGuid(1);
        }

        return recorded;
    }
}
