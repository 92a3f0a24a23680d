using Alt.Domain;
using Alt.Infra;
using Microsoft.Extensions.Logging;
using Temporalio.Client;

namespace Alt.Host.Supervisor;

/// <summary>
/// The services that a run needs: PostgreSQL, the Temporal server and a worker. One process of the home owns them, the others join;
/// when the owner leaves, another one takes over and starts them again.
/// </summary>
internal sealed class RunServices : IAsyncDisposable
{
    private const string OwnerLock = "owner";
    private static readonly TimeSpan Check = TimeSpan.FromSeconds(1);

    private readonly AltHome _home;
    private readonly string? _temporal;
    private readonly PostgresCluster _postgres;
    private readonly ILoggerFactory _logs;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _owning;

    private RunServices(AltHome home, string? temporal, PostgresCluster postgres, ILoggerFactory logs)
    {
        (_home, _temporal, _postgres, _logs) = (home, temporal, postgres, logs);
        _log = logs.CreateLogger<RunServices>();
        _owning = Task.Run(OwnAsync);
    }

    /// <summary>Fails when a service cannot be kept alive; otherwise it ends with this object.</summary>
    public Task Running => _owning;

    /// <param name="temporal">HOST:PORT of an outside Temporal server; null for the embedded one.</param>
    /// <exception cref="InputException">Another process of this home runs with another Temporal server.</exception>
    public static RunServices Start(AltHome home, string? temporal, PostgresCluster postgres, ILoggerFactory logs)
    {
        if (temporal is not null && IsOwned(home) && TemporalEndpoint.Read(home) is { Address: var other } && other != temporal)
        {
            throw new InputException(
                $"Temporal server {temporal}: another run of this folder is under way with {other}; wait for it, or "
                + "call from another checkout");
        }

        return new RunServices(home, temporal, postgres, logs);
    }

    /// <summary>Whether a process owns the services right now.</summary>
    public static bool IsOwned(AltHome home) => home.IsHeld(OwnerLock);

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _owning.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task OwnAsync()
    {
        using var owner = await FileLock.TakeAsync(_home.Lock(OwnerLock), exclusive: true, _ending.Token);
        if (_temporal is not null)
        {
            new TemporalEndpoint(_temporal, Outside: true).Write(_home);
        }

        await using var server = _temporal is null ? new ChildProcess("server", ["server", ChildProcess.Supervised], _log) : null;
        if (server is not null)
        {
            await server.FirstReady.WaitAsync(_ending.Token);
        }

        var serving = server?.Running ?? Task.Delay(Timeout.Infinite, _ending.Token);
        var client = await TemporalConnection.ConnectAsync(_home, _logs, serving, _ending.Token);
        var ended = new HashSet<string>();
        using var timer = new PeriodicTimer(Check);
        // Before a worker starts, since it would resume the runs that were left open.
        while (_temporal is null && !await EndLeftRunsAsync(client, ended))
        {
            await timer.WaitForNextTickAsync(_ending.Token);
        }

        await using var worker = new ChildProcess("worker", ["worker", ChildProcess.Supervised], _log);
        var parts = new[]
        {
            KeepPostgresAsync(), worker.Running, serving, _temporal is null ? KeepEndingLeftRunsAsync(client, ended) : serving
        };
        await await Task.WhenAny(parts);
    }

    private async Task KeepPostgresAsync()
    {
        using var timer = new PeriodicTimer(Check);
        while (await timer.WaitForNextTickAsync(_ending.Token))
        {
            await _postgres.EnsureRunningAsync(_ending.Token);
        }
    }

    private async Task KeepEndingLeftRunsAsync(ITemporalClient client, HashSet<string> ended)
    {
        using var timer = new PeriodicTimer(Check);
        while (await timer.WaitForNextTickAsync(_ending.Token))
        {
            await EndLeftRunsAsync(client, ended);
        }
    }

    /// <returns>false where the server does not answer right now.</returns>
    private async Task<bool> EndLeftRunsAsync(ITemporalClient client, HashSet<string> ended)
    {
        try
        {
            await RunFollowers.EndLeftAsync(_home, client, ended, _ending.Token);
            return true;
        }
        catch (Exception e) when (TransientErrors.Include(e))
        {
            _log.LogInformation("The server does not answer; runs that no command follows are ended later: {Reason}", Messages.Explain(e));
            return false;
        }
    }
}
