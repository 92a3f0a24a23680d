using Alt.Domain;
using Alt.Infra;
using Alt.Infra.Calls;
using Microsoft.Extensions.Logging;

namespace Alt.Host;

/// <summary>The home's PostgreSQL, joined, and the ledger in it.</summary>
internal sealed class Record : IAsyncDisposable
{
    /// <summary>Database of events, documents and projections.</summary>
    public const string Database = "alt";

    private const int Attempts = 5;

    private Record(PostgresCluster cluster, Ledger ledger) => (Cluster, Ledger) = (cluster, ledger);

    public PostgresCluster Cluster { get; }

    public Ledger Ledger { get; }

    public static async Task<Record> OpenAsync(AltHome home, CancellationToken token)
    {
        var cluster = await PostgresCluster.JoinAsync(home.Root, token);
        try
        {
            return new Record(cluster, await PatientlyAsync(
                cluster, async () => await Ledger.OpenAsync(await cluster.EnsureDatabaseAsync(Database, token), new ArtifactStore(home.Artifacts), token), token));
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens the record of a home that has one; asking makes none.</summary>
    /// <exception cref="InputException">There has never been a run.</exception>
    public static Task<Record> OpenExistingAsync(AltHome home, CancellationToken token) => Directory.Exists(home.Postgres)
        ? OpenAsync(home, token)
        : throw new InputException("there are no runs yet; ./alt run starts one");

    /// <summary>The pipeline of calls to remote judges, whose books are in the same database.</summary>
    public async Task<RemoteCalls> OpenCallsAsync(ILoggerFactory logs, CancellationToken token) =>
        await RemoteCalls.OpenAsync(await Cluster.EnsureDatabaseAsync(Database, token), logs: logs, token: token);

    /// <summary>Asks the ledger, again where PostgreSQL was killed meanwhile.</summary>
    public Task<T> AskAsync<T>(Func<Ledger, Task<T>> question, CancellationToken token) => PatientlyAsync(Cluster, () => question(Ledger), token);

    public async ValueTask DisposeAsync()
    {
        await Ledger.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    private static async Task<T> PatientlyAsync<T>(PostgresCluster cluster, Func<Task<T>> work, CancellationToken token)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work();
            }
            catch (Exception e) when (attempt < Attempts && Passing.Is(e))
            {
                await cluster.EnsureRunningAsync(token);
            }
        }
    }
}
