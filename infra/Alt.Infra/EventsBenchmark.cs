using System.Diagnostics;
using Alt.Domain;
using JasperFx.Events;
using Marten;
using Npgsql;

namespace Alt.Infra;

/// <summary>How fast the event store takes events on a given PostgreSQL, with the durability that it is set to.</summary>
public static class EventsBenchmark
{
    private const int BatchSize = 1000;
    private const int Rounds = 3;

    /// <summary>A fact of the size that a run records: about 110 bytes of JSON.</summary>
    private sealed record StageFinished(string Stage, int Iteration, int Count, IReadOnlyDictionary<string, string> Notes);

    /// <summary>Measures in a schema of its own, which is dropped afterwards. Takes about ten seconds at the default size.</summary>
    /// <param name="batches">Batches of 1,000 events per round.</param>
    /// <param name="singles">Single events per round.</param>
    public static async Task<EventsFigures> RunAsync(string connectionString, int batches = 50, int singles = 1500, CancellationToken token = default)
    {
        string schema = $"alt_bench_{Guid.NewGuid():N}";
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(connectionString);
        try
        {
            await using DocumentStore store = DocumentStore.For(options =>
            {
                options.Connection(source);
                options.DatabaseSchemaName = schema;
                options.Events.StreamIdentity = StreamIdentity.AsString;
            });
            await MeasureAsync(store, "warm-up", events: BatchSize, perCommit: BatchSize, token);
            await MeasureAsync(store, "warm-up", events: 200, perCommit: 1, token);
            var batched = new List<double>();
            var single = new List<double>();
            for (int round = 0; round < Rounds; round++)
            {
                batched.Add(await MeasureAsync(store, $"batched-{round}", batches * BatchSize, BatchSize, token));
                single.Add(await MeasureAsync(store, $"single-{round}", singles, perCommit: 1, token));
            }

            return new EventsFigures(Median.Of(batched), Median.Of(single));
        }
        finally
        {
            await using NpgsqlCommand drop = source.CreateCommand($"drop schema if exists {schema} cascade");
            await drop.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    /// <summary>Events per second, appended to one stream with this many in each transaction.</summary>
    private static async Task<double> MeasureAsync(DocumentStore store, string stream, int events, int perCommit, CancellationToken token)
    {
        var watch = Stopwatch.StartNew();
        for (int done = 0; done < events; done += perCommit)
        {
            await using IDocumentSession session = store.LightweightSession();
            session.Events.Append(stream, Enumerable.Range(done, perCommit).Select(Event).ToArray<object>());
            await session.SaveChangesAsync(token);
        }

        return events / watch.Elapsed.TotalSeconds;
    }

    private static StageFinished Event(int index) =>
        new("Sampling", index % 10, index, new Dictionary<string, string> { ["policy"] = "9f86d081884c", ["device"] = "cpu, 2 threads" });
}

/// <param name="BatchedEventsPerSecond">In transactions of 1,000 events, median of three rounds.</param>
/// <param name="SingleEventsPerSecond">With one event in each transaction, one after the other, median of three rounds.</param>
public sealed record EventsFigures(double BatchedEventsPerSecond, double SingleEventsPerSecond);
