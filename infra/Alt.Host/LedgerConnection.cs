using Alt.Domain;
using Alt.Infra;
using Alt.Infra.Calls;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace Alt.Host;

/// <summary>The home's PostgreSQL, joined, and the ledger in it.</summary>
internal sealed class LedgerConnection : IAsyncDisposable
{
    /// <summary>Database of events, documents and projections.</summary>
    public const string Database = "alt";

    private const int Attempts = 5;

    private readonly ResiliencePipeline _patiently;

    private LedgerConnection(PostgresCluster cluster, Ledger ledger, ResiliencePipeline patiently) =>
        (Cluster, Ledger, _patiently) = (cluster, ledger, patiently);

    public PostgresCluster Cluster { get; }

    public Ledger Ledger { get; }

    public static async Task<LedgerConnection> OpenAsync(AltHome home, CancellationToken token)
    {
        var cluster = await PostgresCluster.JoinAsync(home.Root, token);
        try
        {
            var patiently = Patiently(cluster);
            var ledger = await patiently.ExecuteAsync(
                async t => await Ledger.OpenAsync(await cluster.EnsureDatabaseAsync(Database, t), new ArtifactStore(home.Artifacts), t),
                token);
            return new LedgerConnection(cluster, ledger, patiently);
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens the record of a home that has one; creates none.</summary>
    /// <exception cref="InputException">There has never been a run.</exception>
    public static Task<LedgerConnection> OpenExistingAsync(AltHome home, CancellationToken token) => Directory.Exists(home.Postgres)
        ? OpenAsync(home, token)
        : throw new InputException("there are no runs yet; ./alt run starts one");

    /// <summary>The pipeline of calls to remote judges, whose books are in the same database.</summary>
    public async Task<RemoteCalls> OpenCallsAsync(ILoggerFactory logs, CancellationToken token) =>
        await RemoteCalls.OpenAsync(await Cluster.EnsureDatabaseAsync(Database, token), logs: logs, token: token);

    /// <summary>Queries the ledger, and again if PostgreSQL was killed meanwhile.</summary>
    public async Task<T> AskAsync<T>(Func<Ledger, Task<T>> question, CancellationToken token) =>
        await _patiently.ExecuteAsync(async _ => await question(Ledger), token);

    public async ValueTask DisposeAsync()
    {
        await Ledger.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    private static ResiliencePipeline Patiently(PostgresCluster cluster) =>
        new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = Attempts - 1,
            // EnsureRunningAsync returns once PostgreSQL answers, so no further wait is needed.
            Delay = TimeSpan.Zero,
            ShouldHandle = static a => ValueTask.FromResult(TransientErrors.Include(a.Outcome.Exception)),
            OnRetry = async a => await cluster.EnsureRunningAsync(a.Context.CancellationToken),
        }).Build();
}
