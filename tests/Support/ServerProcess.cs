using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Alt.Infra;
using Grpc.Core;
using Temporalio.Api.WorkflowService.V1;

namespace Alt.Tests;

/// <summary>The real server, <c>alt server</c>, as a process that a test can kill.</summary>
public sealed class ServerProcess : IAsyncLifetime
{
    private readonly Installation _installation = new();
    private readonly int _port = FreePort();
    private readonly string[] _arguments;
    private PostgresCluster _cluster = null!;
    private RunningProgram _program = null!;

    public ServerProcess()
        : this([])
    {
    }

    /// <param name="arguments">Further arguments of <c>alt server</c>.</param>
    internal ServerProcess(string[] arguments) => _arguments = arguments;

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");

    public RawClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _cluster = await PostgresCluster.JoinAsync(_installation.Home);
        Client = new RawClient(Address);
        await StartAsync();
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _program.DisposeAsync();
        await _cluster.DisposeAsync();
        await _installation.DisposeAsync();
    }

    /// <summary>Sends kill -9 and starts the next server on the same port. Returns when that one answers.</summary>
    public async Task KillAsync()
    {
        await _program.DisposeAsync();
        await StartAsync();
    }

    /// <summary>Connection string of a database beside the server's.</summary>
    public Task<string> CreateDatabaseAsync(string name) => _cluster.EnsureDatabaseAsync(name);

    private async Task StartAsync()
    {
        _program = _installation.Start(["server", "--port", _port.ToString(CultureInfo.InvariantCulture), .. _arguments]);
        await Wait.ForAsync(AnswersAsync, $"a server at {Address}");
    }

    private async Task<bool> AnswersAsync()
    {
        Assert.False(_program.HasEnded, _program.Errors);
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
