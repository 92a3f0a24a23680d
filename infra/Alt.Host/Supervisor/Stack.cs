using Alt.Domain;
using Alt.Host.Commands;
using Alt.Infra;
using Microsoft.Extensions.Logging;
using Temporalio.Client;

namespace Alt.Host.Supervisor;

/// <summary>
/// What keeps a run going: PostgreSQL that is up, the Temporal server and a worker. One process of the home owns them, the others join;
/// when the owner leaves, another one takes over and starts them again.
/// </summary>
internal sealed class Stack : IAsyncDisposable
{
    private const string OwnerLock = "owner";
    private static readonly TimeSpan Check = TimeSpan.FromSeconds(1);

    private readonly AltHome home;
    private readonly string? temporal;
    private readonly PostgresCluster postgres;
    private readonly ILoggerFactory logs;
    private readonly ILogger log;
    private readonly CancellationTokenSource ending = new();
    private readonly Task owning;

    private Stack(AltHome home, string? temporal, PostgresCluster postgres, ILoggerFactory logs)
    {
        (this.home, this.temporal, this.postgres, this.logs) = (home, temporal, postgres, logs);
        log = logs.CreateLogger<Stack>();
        owning = Task.Run(OwnAsync);
    }

    /// <summary>Fails when a part of the stack cannot be kept alive; otherwise it never ends before the stack does.</summary>
    public Task Running => owning;

    /// <param name="temporal">HOST:PORT of an outside Temporal server; null for the embedded one.</param>
    /// <exception cref="InputException">Another process of this home runs with another Temporal server.</exception>
    public static Stack Start(AltHome home, string? temporal, PostgresCluster postgres, ILoggerFactory logs)
    {
        if (temporal is not null && IsOwned(home) && TemporalEndpoint.Read(home) is { Address: var other } && other != temporal)
        {
            throw new InputException($"Temporal server {temporal}: another run of this folder is under way with {other}; wait for it, or call from another checkout");
        }

        return new Stack(home, temporal, postgres, logs);
    }

    /// <summary>Whether some process owns a stack right now.</summary>
    public static bool IsOwned(AltHome home) => home.IsHeld(OwnerLock);

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await owning.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ending.Dispose();
    }

    private async Task OwnAsync()
    {
        using var owner = await FileLock.TakeAsync(home.Lock(OwnerLock), exclusive: true, ending.Token);
        if (temporal is not null)
        {
            new TemporalEndpoint(temporal, Outside: true).Write(home);
        }

        await using var server = temporal is null ? new ChildProcess("server", ["server", ServerCommand.Supervised], log) : null;
        if (server is not null)
        {
            await server.FirstReady.WaitAsync(ending.Token);
        }

        var serving = server?.Running ?? Task.Delay(Timeout.Infinite, ending.Token);
        var client = await Temporal.ConnectAsync(home, logs, serving, ending.Token);
        var ended = new HashSet<string>();
        using var timer = new PeriodicTimer(Check);
        // Before there is a worker, which would take up what was left.
        while (temporal is null && !await EndLeftRunsAsync(client, ended))
        {
            await timer.WaitForNextTickAsync(ending.Token);
        }

        await using var worker = new ChildProcess("worker", ["worker", WorkerCommand.Supervised], log);
        var parts = new[] { KeepPostgresAsync(), worker.Running, serving, temporal is null ? KeepEndingLeftRunsAsync(client, ended) : serving };
        await await Task.WhenAny(parts);
    }

    private async Task KeepPostgresAsync()
    {
        using var timer = new PeriodicTimer(Check);
        while (await timer.WaitForNextTickAsync(ending.Token))
        {
            await postgres.EnsureRunningAsync(ending.Token);
        }
    }

    private async Task KeepEndingLeftRunsAsync(ITemporalClient client, HashSet<string> ended)
    {
        using var timer = new PeriodicTimer(Check);
        while (await timer.WaitForNextTickAsync(ending.Token))
        {
            await EndLeftRunsAsync(client, ended);
        }
    }

    /// <returns>false where the server does not answer right now.</returns>
    private async Task<bool> EndLeftRunsAsync(ITemporalClient client, HashSet<string> ended)
    {
        try
        {
            await Attendance.EndLeftAsync(home, client, ended, ending.Token);
            return true;
        }
        catch (Exception e) when (Passing.Is(e))
        {
            log.LogInformation("The server does not answer; runs that nobody follows are ended later: {Reason}", Messages.Explain(e));
            return false;
        }
    }
}
