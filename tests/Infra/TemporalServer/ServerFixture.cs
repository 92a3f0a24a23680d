using TemporalServer;

namespace Alt.Tests.Infra.TemporalServer;

/// <summary>An embedded server on a database of its own, which a test can end and start again.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private readonly PostgresFixture postgres = new();
    private EmbeddedServer? server;

    public string ConnectionString { get; private set; } = "";

    public RawClient Client { get; private set; } = null!;

    public string Address => server!.Address;

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
    public async Task RestartAsync()
    {
        Client.Dispose();
        await server!.DisposeAsync();
        await StartAsync();
    }

    private async Task StartAsync()
    {
        server = await EmbeddedServer.StartAsync(new EmbeddedServerOptions { ConnectionString = ConnectionString });
        Client = new RawClient(server.Address);
    }
}
