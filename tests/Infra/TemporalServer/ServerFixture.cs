using TemporalServer;

namespace Alt.Tests.Infra.TemporalServer;

/// <summary>An embedded server on a database of its own, which a test can end and start again.</summary>
public class ServerFixture : IAsyncLifetime
{
    private readonly PostgresFixture postgres = new();
    private EmbeddedServer? server;
    private TimeSpan ahead;

    public string ConnectionString { get; private set; } = "";

    public RawClient Client { get; private set; } = null!;

    protected virtual ServerLimits Limits => new();

    public string Address => server!.Address;

    public string HttpAddress => server!.HttpAddress!;

    public async Task InitializeAsync()
    {
        await postgres.InitializeAsync();
        ConnectionString = await postgres.CreateDatabaseAsync();
        await StartAsync();
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await server!.DisposeAsync();
        await postgres.DisposeAsync();
    }

    /// <summary>Ends the server and starts another one on the same database.</summary>
    /// <param name="later">How far the new server's clock is ahead.</param>
    public async Task RestartAsync(TimeSpan later = default)
    {
        ahead = later;
        Client.Dispose();
        await server!.DisposeAsync();
        await StartAsync();
    }

    private async Task StartAsync()
    {
        server = await EmbeddedServer.StartAsync(new EmbeddedServerOptions { ConnectionString = ConnectionString, Limits = Limits, Clock = new ShiftedClock(ahead), HttpPort = 0 });
        Client = new RawClient(server.Address);
    }

    private sealed class ShiftedClock(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
    }
}
