using System.CommandLine;
using Alt.Domain;
using Alt.Host.Supervisor;
using Alt.Infra;
using Microsoft.Extensions.Logging;
using Spectre.Console;
using TemporalServer;

namespace Alt.Host.Commands;

/// <summary>
/// <c>alt server</c>: the embedded Temporal server of this home, alone in the foreground. <c>alt run</c> starts one as a child and keeps it
/// alive.
/// </summary>
internal static class ServerCommand
{
    /// <summary>Where the home's server keeps its state.</summary>
    public const string Database = "temporal";

    private const string LockName = "server";
    private const int DefaultPort = 7233, AnyPort = 0;
    private static readonly TimeSpan PredecessorsEnd = TimeSpan.FromSeconds(20);

    /// <summary>Where a server listens, as scripts read it.</summary>
    private sealed record Listening(string Address, string? HttpAddress);

    public static Command Create()
    {
        var flags = new ServerFlags();
        var supervised = new Option<bool>(ChildProcess.Supervised) { Hidden = true };
        var json = Options.Json();
        var command = new Command("server", "Serve Temporal's gRPC API until Ctrl-C (alt run starts a server by itself).")
        {
            supervised, json
        };
        flags.AddTo(command);
        command.SetAction((parsed, token) => parsed.GetValue(supervised)
            ? SuperviseAsync()
            : ServeAsync(flags.Read(parsed), new Output(parsed.GetValue(json)), token));
        return command.WithExamples(
            "./alt server --port 7233", "./alt server --ip 0.0.0.0 --tls-cert server.pem --tls-key server.key --api-key-env SERVER_KEY");
    }

    private static async Task<int> ServeAsync(ServerSettings settings, Output output, CancellationToken token)
    {
        using var tls = settings.Tls;
        var home = AltHome.Find();
        using var only = FileLock.TryTake(home.Lock(LockName), exclusive: true)
            ?? throw new InputException($"server: another server of this folder runs{Where(home)}; end it, or call from another checkout");
        using var logs = Logs.Open(home, "server");
        try
        {
            await using var cluster = await PostgresCluster.JoinAsync(home.Root, token);
            var connection = await cluster.EnsureDatabaseAsync(Database, token);
            await using var server = await StartAsync(
                port => settings.For(connection, port), settings.Port, LastPort(home, DefaultPort), logs, token);
            if (settings.IsPlain)
            {
                new TemporalEndpoint(server.Address, Outside: false).Write(home);
            }

            output.Say(EmbeddedServer.Purpose);
            output.Result(new Listening(server.Address, server.HttpAddress), console =>
            {
                console.WriteLine($"Listening on {server.Address}{(server.HttpAddress is { } http ? $", JSON on {http}" : "")}");
            });
            await Task.Delay(Timeout.Infinite, token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            output.Say("The server has ended; the next one continues what is stored.");
        }

        return 0;
    }

    private static async Task<int> SuperviseAsync()
    {
        using var parent = ParentWatch.Start();
        var token = parent.Gone;
        var home = AltHome.Find();
        using var logs = Logs.Open(home, "server");
        try
        {
            using var only = await TakeOverAsync(home, token);
            await using var cluster = await PostgresCluster.JoinAsync(home.Root, token);
            var connection = await cluster.EnsureDatabaseAsync(Database, token);
            await using var server = await StartAsync(
                port => new() { ConnectionString = connection, Port = port }, null, LastPort(home, AnyPort), logs, token);
            new TemporalEndpoint(server.Address, Outside: false).Write(home);
            Console.WriteLine(ChildProcess.Ready);
            await Task.Delay(Timeout.Infinite, token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The parent has ended; the next server continues from what is stored.
        }

        return 0;
    }

    // One server per home: this waits for a predecessor that is still ending, but not for one that a user started alone.
    private static async Task<FileLock> TakeOverAsync(AltHome home, CancellationToken token)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(token);
        patience.CancelAfter(PredecessorsEnd);
        try
        {
            return await FileLock.TakeAsync(home.Lock(LockName), exclusive: true, patience.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new HostException($"another server of this folder runs{Where(home)}; end it, or use it with --temporal");
        }
    }

    private static async Task<EmbeddedServer> StartAsync(
        Func<int, EmbeddedServerOptions> optionsOf, int? wanted, int usual, ILoggerFactory logs, CancellationToken token)
    {
        try
        {
            return await EmbeddedServer.StartAsync(optionsOf(wanted ?? usual), token, logs);
        }
        catch (IOException) when (wanted is null)
        {
            // Another process uses the usual port.
            return await EmbeddedServer.StartAsync(optionsOf(AnyPort), token, logs);
        }
    }

    // Clients that wait for the server to come back try its last port.
    private static int LastPort(AltHome home, int otherwise) => TemporalEndpoint.LastPort(home) is > 0 and var last ? last : otherwise;

    private static string Where(AltHome home) =>
        TemporalEndpoint.Read(home) is { Outside: false, Address: var address } ? $" at {address}" : "";
}
