using System.Diagnostics;
using Alt.Domain;
using Alt.Infra;
using JasperFx;
using JasperFx.Events;
using Marten;
using Npgsql;

namespace Alt.Bench;

/// <summary>
/// How fast the record takes events on a given PostgreSQL, with the durability that it is set to, beside a bare loop over Marten.
/// </summary>
public static class EventsBenchmark
{
    private const int BatchSize = 1000;
    private const int Rounds = 5;

    /// <summary>A fact of the size that a run records: about 200 bytes of JSON.</summary>
    private static IterationEvent Fact(int index) =>
        new IterationEvent.ChunkFinished(
            Stage.Evaluation, index, new ArtifactRef(new string('0', 64), index, ArtifactStore.JsonLines), 64, index, 0.5);

    /// <summary>Measures in schemas of its own, which are dropped afterwards. Takes about twenty seconds at the default size.</summary>
    /// <param name="batches">Batches of 1,000 events per round.</param>
    /// <param name="singles">Single events per round.</param>
    public static async Task<EventsFigures> RunAsync(
        string connectionString, int batches = 20, int singles = 1000, CancellationToken token = default)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var ours = await MeasuredStore.OpenAsync(source, options => Ledger.Configure(options, source));
        await using var bare = await MeasuredStore.OpenAsync(source, options =>
        {
            options.Connection(source);
            options.Events.StreamIdentity = StreamIdentity.AsString;
        });
        MeasuredStore[] stores = [ours, bare];
        foreach (var store in stores)
        {
            await store.AppendAsync("warm-up", BatchSize, BatchSize, token);
            await store.AppendAsync("warm-up-singles", 200, perCommit: 1, token);
        }

        var batched = stores.ToDictionary(s => s, _ => new List<double>());
        var single = stores.ToDictionary(s => s, _ => new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            // In turns and in changing order, since other processes use the machine too.
            foreach (var store in round % 2 == 0 ? stores : stores.Reverse())
            {
                batched[store].Add(await store.AppendAsync($"batched-{round}", batches * BatchSize, BatchSize, token));
                single[store].Add(await store.AppendAsync($"single-{round}", singles, perCommit: 1, token));
            }
        }

        return new EventsFigures(
            Median.Of(batched[ours]), Median.Of(single[ours]), Median.Of(batched[bare]), Median.Of(single[bare]),
            await RecordedAsync(connectionString, singles, token));
    }

    /// <summary>Facts per second through the whole of the ledger: read, decide, append where nothing is recorded yet, seal.</summary>
    private static async Task<double> RecordedAsync(string connectionString, int events, CancellationToken token)
    {
        var folder = Directory.CreateTempSubdirectory("alt-bench-");
        try
        {
            await using var ledger = await Ledger.OpenAsync(connectionString, new ArtifactStore(folder.FullName), token);
            const int OfEach = 50; // as an iteration has chunks
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < events; i++)
            {
                var chunk = i % OfEach;
                await ledger.RecordAsync(
                    new IterationRef("bench", i / OfEach), s => s.Chunk(Stage.Evaluation, chunk), (IterationEvent.ChunkFinished)Fact(chunk),
                    token);
            }

            return events / watch.Elapsed.TotalSeconds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private sealed class MeasuredStore(DocumentStore store, NpgsqlDataSource source, string schema) : IAsyncDisposable
    {
        public static async Task<MeasuredStore> OpenAsync(NpgsqlDataSource source, Action<StoreOptions> configure)
        {
            var schema = $"alt_bench_{Guid.NewGuid():N}";
            var store = DocumentStore.For(options =>
            {
                configure(options);
                options.DatabaseSchemaName = schema;
            });
            await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync(AutoCreate.CreateOrUpdate);
            return new MeasuredStore(store, source, schema);
        }

        /// <summary>Events per second, appended to one new stream with this many in each transaction.</summary>
        public async Task<double> AppendAsync(string stream, int events, int perCommit, CancellationToken token)
        {
            var watch = Stopwatch.StartNew();
            for (var done = 0; done < events; done += perCommit)
            {
                await using var session = store.LightweightSession();
                session.Events.Append(stream, done + perCommit, Enumerable.Range(done, perCommit).Select(Fact).ToArray<object>());
                await session.SaveChangesAsync(token);
            }

            return events / watch.Elapsed.TotalSeconds;
        }

        public async ValueTask DisposeAsync()
        {
            await store.DisposeAsync();
            await using var drop = source.CreateCommand($"drop schema if exists {schema} cascade");
            await drop.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }
}

/// <summary>Events per second, each the median of five rounds, the two stores in turns.</summary>
/// <param name="BatchedEventsPerSecond">By the record's own store, in transactions of 1,000 events.</param>
/// <param name="SingleEventsPerSecond">By the record's own store, one event in each transaction, one after the other.</param>
/// <param name="BareBatchedEventsPerSecond">By a Marten store with its defaults, in transactions of 1,000 events.</param>
/// <param name="BareSingleEventsPerSecond">By a Marten store with its defaults, one event in each transaction.</param>
/// <param name="RecordedEventsPerSecond">Through the whole ledger, one after the other: each is looked for, appended and sealed.</param>
public sealed record EventsFigures(
    double BatchedEventsPerSecond, double SingleEventsPerSecond, double BareBatchedEventsPerSecond, double BareSingleEventsPerSecond,
    double RecordedEventsPerSecond);
