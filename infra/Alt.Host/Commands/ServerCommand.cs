using System.CommandLine;
using Alt.Domain;
using Alt.Host.Supervisor;
using Alt.Infra;
using Microsoft.Extensions.Logging;
using TemporalServer;

namespace Alt.Host.Commands;

/// <summary><c>alt server</c>: the embedded Temporal server of this home. <c>alt run</c> starts it and keeps it alive.</summary>
internal static class ServerCommand
{
    /// <summary>Where the home's server keeps its state.</summary>
    public const string Database = "temporal";

    private const string LockName = "server";

    public static Command Create()
    {
        var port = new Option<int?>("--port") { Description = "Port on 127.0.0.1. Default: the last one used where it is free, else any.", HelpName = "N" };
        var command = new Command("server", "Serve Temporal's gRPC API until standard input ends (alt run starts it by itself).") { port };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(port)));
        return command.WithExamples("./alt server --port 7233");
    }

    private static async Task<int> RunAsync(int? port)
    {
        if (port is < 0 or > 65535)
        {
            throw new InputException($"--port {port}: expected 0 (any) to 65535");
        }

        using var parent = ParentWatch.Start();
        var token = parent.Gone;
        var home = AltHome.Find();
        using var logs = Logs.Open(home, "server");
        try
        {
            // One server per home: a predecessor that is still ending is waited for.
            using var only = await FileLock.TakeAsync(home.Lock(LockName), exclusive: true, token);
            await using var cluster = await PostgresCluster.JoinAsync(home.Root, token);
            var connection = await cluster.EnsureDatabaseAsync(Database, token);
            await using var server = await StartAsync(home, connection, port, logs, token);
            new TemporalEndpoint(server.Address, Outside: false).Write(home);
            Console.WriteLine(ChildProcess.Ready);
            await Task.Delay(Timeout.Infinite, token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The parent is gone; what is stored goes on with the next server.
        }

        return 0;
    }

    private static async Task<EmbeddedServer> StartAsync(AltHome home, string connection, int? port, ILoggerFactory logs, CancellationToken token)
    {
        try
        {
            return await EmbeddedServer.StartAsync(OptionsOf(port ?? TemporalEndpoint.LastPort(home)), token, logs);
        }
        catch (IOException) when (port is null)
        {
            // Somebody else has the old port by now.
            return await EmbeddedServer.StartAsync(OptionsOf(0), token, logs);
        }

        EmbeddedServerOptions OptionsOf(int number) => new() { ConnectionString = connection, Port = number };
    }
}
