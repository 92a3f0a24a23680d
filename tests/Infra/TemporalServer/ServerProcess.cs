using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Alt.Infra;
using Alt.Tests.Infra.Host;
using Grpc.Core;
using Temporalio.Api.WorkflowService.V1;

namespace Alt.Tests.Infra.TemporalServer;

/// <summary>The real server, <c>alt server</c>, as a process that a test can kill.</summary>
public sealed class ServerProcess : IAsyncLifetime
{
    private readonly Installation installation = new();
    private readonly int port = FreePort();
    private readonly string[] arguments;
    private PostgresCluster cluster = null!;
    private RunningProgram program = null!;

    public ServerProcess()
        : this([])
    {
    }

    /// <param name="arguments">Further arguments of <c>alt server</c>.</param>
    internal ServerProcess(string[] arguments) => this.arguments = arguments;

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    public RawClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        cluster = await PostgresCluster.JoinAsync(installation.Home);
        Client = new RawClient(Address);
        await StartAsync();
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await program.DisposeAsync();
        await cluster.DisposeAsync();
        await installation.DisposeAsync();
    }

    /// <summary>kill -9, and the next server on the same port. Returns when that one answers.</summary>
    public async Task KillAsync()
    {
        await program.DisposeAsync();
        await StartAsync();
    }

    /// <summary>Connection string of a database beside the server's.</summary>
    public Task<string> CreateDatabaseAsync(string name) => cluster.EnsureDatabaseAsync(name);

    private async Task StartAsync()
    {
        program = installation.Start(["server", "--port", port.ToString(CultureInfo.InvariantCulture), .. arguments]);
        await Wait.ForAsync(AnswersAsync, $"a server at {Address}");
    }

    private async Task<bool> AnswersAsync()
    {
        Assert.False(program.HasEnded, program.Errors);
        try
        {
            await Client.CallAsync<GetSystemInfoResponse>(new GetSystemInfoRequest());
            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
