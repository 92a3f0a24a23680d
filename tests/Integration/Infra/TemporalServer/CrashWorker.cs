using Npgsql;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.TemporalServer;

/// <summary>
/// The worker process of <see cref="CrashTests"/>. Arguments: the server's address, the database of effects, the task queue.
/// </summary>
internal static class CrashWorker
{
    public const string Name = "crash";

    public static async Task RunAsync(string[] args)
    {
        await using var effects = NpgsqlDataSource.Create(args[1]);
        var client = await TemporalClient.ConnectAsync(new(args[0]));
        var options = new TemporalWorkerOptions(args[2])
        {
            StickyQueueScheduleToStartTimeout = TimeSpan.FromSeconds(1),
            MaxConcurrentActivities = 20,
        };
        using var worker = new TemporalWorker(client, options.AddWorkflow<CrashWorkflow>().AddAllActivities(new CrashEffects(effects)));
        await worker.ExecuteAsync(CancellationToken.None);
    }
}

/// <summary>Activities with an effect in a database.</summary>
public sealed class CrashEffects(NpgsqlDataSource effects)
{
    public const string Table = "CREATE TABLE effects (key text PRIMARY KEY, token uuid NOT NULL, attempts int NOT NULL)";

    /// <summary>Records a token under a key once; later calls get the first call's token.</summary>
    [Activity]
    public async Task<Guid> RecordAsync(string key)
    {
        await using var command = effects.CreateCommand(
            "INSERT INTO effects VALUES ($1, gen_random_uuid(), 1) ON CONFLICT (key) DO UPDATE SET attempts = "
            + "effects.attempts + 1 RETURNING token");
        command.Parameters.Add(new() { Value = key });
        return (Guid)(await command.ExecuteScalarAsync())!;
    }
}

/// <summary>Activities and timers by turns; returns what the activities returned.</summary>
[Workflow]
public class CrashWorkflow
{
    public const int Steps = 4;

    private static readonly ActivityOptions Options = new()
    {
        StartToCloseTimeout = TimeSpan.FromSeconds(3),
        RetryPolicy = new() { MaximumInterval = TimeSpan.FromSeconds(1) }
    };

    [WorkflowRun]
    public async Task<List<Guid>> RunAsync()
    {
        var tokens = new List<Guid>();
        for (var step = 0; step < Steps; step++)
        {
            var key = $"{Workflow.Info.WorkflowId}/{step}";
            tokens.Add(await Workflow.ExecuteActivityAsync((CrashEffects e) => e.RecordAsync(key), Options));
            await Workflow.DelayAsync(TimeSpan.FromSeconds(3));
        }

        return tokens;
    }
}
