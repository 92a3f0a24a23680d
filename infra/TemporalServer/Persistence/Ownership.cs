using Microsoft.Extensions.Logging;
using Npgsql;

namespace TemporalServer.Persistence;

/// <summary>
/// Ensures that only one server works on a schema: it holds an advisory lock on a connection of its own. While that
/// connection is lost, the server answers UNAVAILABLE; with each new one it starts again from the stored state.
/// </summary>
internal sealed partial class Ownership(Database database, ILogger logger)
{
    private const int LockClass = 0x7e30;
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly TaskCompletionSource _firstHeld = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _held;

    /// <summary>Completes when the lock was taken and everything stored is loaded.</summary>
    public Task FirstHeld => _firstHeld.Task;

    public bool IsHeld => _held;

    /// <exception cref="RpcError">UNAVAILABLE where this server does not own the schema now.</exception>
    public void EnsureHeld()
    {
        if (!_held)
        {
            throw RpcError.Unavailable("The server has no connection to its database.");
        }
    }

    /// <param name="onTaken">Loads what is stored; called each time before the server starts to answer.</param>
    /// <param name="onLost">Called when the lock is lost.</param>
    public async Task RunAsync(Func<Task> onTaken, Action onLost, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await HoldAsync(onTaken, stopping);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or RpcError)
            {
                LogLost(logger, e.Message);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            finally
            {
                if (_held)
                {
                    _held = false;
                    onLost();
                }
            }

            await Task.Delay(RetryInterval, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task HoldAsync(Func<Task> onTaken, CancellationToken stopping)
    {
        await using var connection = await database.Source.OpenConnectionAsync(stopping);
        await using var take = new NpgsqlCommand("SELECT pg_try_advisory_lock($1, hashtext($2))", connection);
        take.Parameters.Add(new() { Value = LockClass });
        take.Parameters.Add(new() { Value = database.Schema });
        if (await take.ExecuteScalarAsync(stopping) is not true)
        {
            LogTaken(logger, database.Schema);
            return;
        }

        await onTaken();
        _held = true;
        _firstHeld.TrySetResult();
        LogHeld(logger, database.Schema);
        while (true)
        {
            await Task.Delay(CheckInterval, stopping);
            await using var check = new NpgsqlCommand("SELECT 1", connection) { CommandTimeout = 5 };
            await check.ExecuteScalarAsync(stopping);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Owning schema {Schema}")]
    private static partial void LogHeld(ILogger logger, string schema);

    [LoggerMessage(Level = LogLevel.Information, Message = "Another server owns schema {Schema}; waiting for it to end")]
    private static partial void LogTaken(ILogger logger, string schema);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lost the database, reconnecting: {Reason}")]
    private static partial void LogLost(ILogger logger, string reason);
}
