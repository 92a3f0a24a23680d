using System.Diagnostics;
using Alt.Infra;
using JasperFx.Events;
using Marten;
using Npgsql;

namespace Alt.Tests.Infra.Marten;

public sealed class DurabilityTests(ClusterHome home) : IClassFixture<ClusterHome>
{
    private const int Writers = 3;
    private const int Kills = 2;
    private const int AcceptedBeforeEachKill = 60;

    private readonly int[] _accepted = new int[Writers];

    [Fact]
    public async Task Every_append_that_returned_outlives_a_kill_of_the_server()
    {
        await using PostgresCluster cluster = await PostgresCluster.JoinAsync(home.Path);
        await using DocumentStore store = DocumentStore.For(options =>
        {
            options.Connection(cluster.ConnectionString());
            options.Events.StreamIdentity = StreamIdentity.AsString;
        });
        await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        using var stop = new CancellationTokenSource();
        Task[] writers = [.. Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(store, cluster, writer, stop.Token)))];

        for (int kill = 1; kill <= Kills; kill++)
        {
            SpinWait.SpinUntil(() => _accepted.Sum() >= kill * AcceptedBeforeEachKill || writers.Any(writer => writer.IsFaulted));
            using Process server = Process.GetProcessById((await PostgresCluster.StatusAsync(home.Path)).ProcessId!.Value);
            server.Kill();
            server.WaitForExit();
            await cluster.EnsureRunningAsync();
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
        for (int writer = 0; writer < Writers; writer++)
        {
            await using IQuerySession session = store.QuerySession();
            IReadOnlyList<IEvent> events = await session.Events.FetchStreamAsync($"writer-{writer}");
            Assert.Equal(Enumerable.Range(1, events.Count), events.Select(e => (int)e.Version));
            Assert.Equal(Enumerable.Range(1, events.Count), events.Select(e => ((MembersJoined)e.Data).Day));
            Assert.InRange(events.Count, _accepted[writer], _accepted[writer] + 1);
        }
    }

    /// <summary>Appends 1, 2, 3…; after a broken connection it asks the store how far it came.</summary>
    private async Task WriteAsync(DocumentStore store, PostgresCluster cluster, int writer, CancellationToken stop)
    {
        string stream = $"writer-{writer}";
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using IDocumentSession session = store.LightweightSession();
                int done = (int)((await session.Events.FetchStreamStateAsync(stream, CancellationToken.None))?.Version ?? 0);
                Assert.True(done >= _accepted[writer], $"{stream} forgot event {_accepted[writer]}");
                session.Events.Append(stream, done + 1, new MembersJoined(done + 1, []));
                await session.SaveChangesAsync(CancellationToken.None);
                _accepted[writer] = done + 1;
            }
            catch (Exception error) when (error is NpgsqlException or global::Marten.Exceptions.MartenException)
            {
                await cluster.EnsureRunningAsync(CancellationToken.None);
            }
        }
    }
}
