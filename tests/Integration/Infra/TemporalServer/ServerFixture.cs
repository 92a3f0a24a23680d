using TemporalServer;

namespace Alt.Tests.Infra.TemporalServer;

/// <summary>An embedded server on a database of its own, which a test can end and start again.</summary>
public class ServerFixture : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();
    private EmbeddedServer? _server;
    private TimeSpan _ahead;

    public string ConnectionString { get; private set; } = "";

    public RawClient Client { get; private set; } = null!;

    protected virtual ServerLimits Limits => new();

    public string Address => _server!.Address;

    public string HttpAddress => _server!.HttpAddress!;

    public async Task InitializeAsync()
    {
        await _postgres.InitializeAsync();
        ConnectionString = await _postgres.CreateDatabaseAsync();
        await StartAsync();
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _server!.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    /// <summary>Ends the server and starts another one on the same database.</summary>
    /// <param name="later">How far the new server's clock is ahead.</param>
    public async Task RestartAsync(TimeSpan later = default)
    {
        _ahead = later;
        Client.Dispose();
        await _server!.DisposeAsync();
        await StartAsync();
    }

    private async Task StartAsync()
    {
        _server = await EmbeddedServer.StartAsync(new EmbeddedServerOptions
        {
            ConnectionString = ConnectionString,
            Limits = Limits,
            Clock = new ShiftedClock(_ahead),
            HttpPort = 0
        });
        Client = new RawClient(_server.Address);
    }

    private sealed class ShiftedClock(TimeSpan ahead) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
    }
}
