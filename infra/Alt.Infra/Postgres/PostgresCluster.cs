using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Npgsql;

namespace Alt.Infra;

/// <summary>
/// A PostgreSQL server of this checkout's own, under <c>{home}/pg</c>, shared by all of its processes: the first that joins makes
/// and starts it, the last that leaves stops it. It listens on the loopback only, with a random password, and survives
/// <c>kill -9</c> of any of its users or of itself.
/// </summary>
/// <remarks>
/// Each process that uses it holds a shared lock on <c>pg.users</c>; joining, starting and leaving are serialised by
/// an exclusive lock on <c>pg.lock</c>. The kernel drops the locks of a process that is killed.
/// </remarks>
public sealed partial class PostgresCluster : IAsyncDisposable
{
    /// <summary>Name of the superuser that owns everything in the cluster.</summary>
    public const string User = "alt";

    // Repeated statements are planned once per connection; an append of one event then costs the server a third.
    private const int PreparedStatements = 32;

    private const int LowestPort = 20000;
    private const int PortAfterHighest = 32768; // From here on the system assigns ports itself.
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly string _home;
    private readonly PostgresServer _server;
    private readonly FileLock _use;
    private string _password = "";
    private int _port;

    private PostgresCluster(string home, PostgresServer server, FileLock use)
    {
        _home = home;
        _server = server;
        _use = use;
    }

    /// <summary>Port on 127.0.0.1. Changes only if the server was down and another process took its port.</summary>
    public int Port => _port;

    private string PasswordFile => Path.Combine(_home, "pg.password");

    private string PortFile => Path.Combine(_home, "pg.port");

    private static string LockFile(string home) => Path.Combine(home, "pg.lock");

    private static string UsersFile(string home) => Path.Combine(home, "pg.users");

    /// <summary>Becomes a user of the cluster: creates it if it does not exist, and starts it if it does not run.</summary>
    /// <param name="home">The checkout's state directory, mostly <c>.alt</c>.</param>
    /// <exception cref="PostgresClusterException">It cannot be created or started.</exception>
    public static async Task<PostgresCluster> JoinAsync(string home, CancellationToken token = default)
    {
        home = Path.GetFullPath(home);
        Directory.CreateDirectory(home);
        using var _ = await FileLock.TakeAsync(LockFile(home), exclusive: true, token);
        var server = await PostgresServer.FindAsync(Path.Combine(home, "pg"), token);
        var cluster = new PostgresCluster(home, server, await FileLock.TakeAsync(UsersFile(home), exclusive: false, token));
        try
        {
            await cluster.CreateIfMissingAsync(token);
            await cluster.StartIfDownAsync(token);
            return cluster;
        }
        catch
        {
            await cluster.LeaveAsync();
            throw;
        }
    }

    /// <summary>How to connect to a database of the cluster. Ask again after <see cref="EnsureRunningAsync"/>.</summary>
    public string ConnectionString(string database = "postgres") =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = _port,
            Username = User,
            Password = _password,
            Database = database,
            MaxAutoPrepare = PreparedStatements,
            IncludeFailedBatchedCommand = true,
        }.ConnectionString;

    /// <summary>Creates a database unless it exists, and returns its connection string.</summary>
    public async Task<string> EnsureDatabaseAsync(string name, CancellationToken token = default)
    {
        await using var connection = new NpgsqlConnection(ConnectionString() + ";Pooling=false");
        await connection.OpenAsync(token);
        await using var exists = new NpgsqlCommand("select 1 from pg_database where datname = $1", connection)
        {
            Parameters = { new() { Value = name } }
        };
        if (await exists.ExecuteScalarAsync(token) is null)
        {
            try
            {
                await using var create = new NpgsqlCommand($"create database \"{name}\"", connection);
                await create.ExecuteNonQueryAsync(token);
            }
            catch (PostgresException error)
                when (error.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
            {
                // Another process created it first.
            }
        }

        return ConnectionString(name);
    }

    /// <summary>Starts the server again if it was killed. Fast if it runs: one connection.</summary>
    /// <exception cref="PostgresClusterException">It cannot be started.</exception>
    public async Task EnsureRunningAsync(CancellationToken token = default)
    {
        if (await AnswersAsync(token) == Answer.Ready)
        {
            return;
        }

        using var _ = await FileLock.TakeAsync(LockFile(_home), exclusive: true, token);
        await StartIfDownAsync(token);
    }

    /// <summary>Leaves the cluster; the last user stops it.</summary>
    public async ValueTask DisposeAsync()
    {
        using var _ = await FileLock.TakeAsync(LockFile(_home), exclusive: true, CancellationToken.None);
        await LeaveAsync();
    }

    private async Task LeaveAsync()
    {
        _use.Dispose();
        using var alone = FileLock.TryTake(UsersFile(_home), exclusive: true);
        if (alone is not null && await _server.RunningAsync(CancellationToken.None) is { Postmaster: not null })
        {
            await _server.StopAsync(CancellationToken.None);
        }
    }

    private async Task CreateIfMissingAsync(CancellationToken token)
    {
        if (!_server.Exists)
        {
            _server.RefuseDamagedData();
            _password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
            Posix.WriteSecret(PasswordFile, _password);
            await _server.CreateAsync(User, _password, token);
        }

        _password = File.Exists(PasswordFile)
            ? await File.ReadAllTextAsync(PasswordFile, token)
            : throw new PostgresClusterException(
                $"the password of the PostgreSQL cluster in {_server.Directory} is missing: restore {PasswordFile}, or delete that "
                + "directory to begin with an empty one");
    }

    private async Task StartIfDownAsync(CancellationToken token)
    {
        // Another process may have moved it first.
        _port = ReadPort(PortFile) ?? 0;
        var deadline = DateTime.UtcNow + ReadyWithin;
        while (await AnswersAsync(token) is not Answer.Ready and var answer)
        {
            var running = await _server.RunningAsync(token);
            if (!running.Any)
            {
                await StartAsync(token);
            }
            else if (answer == Answer.WrongPassword && running.Postmaster is not null)
            {
                throw new PostgresClusterException(
                    $"the PostgreSQL cluster in {_server.Directory} refuses the password in {PasswordFile}: restore that file, or delete "
                    + "the directory to begin with an empty cluster");
            }
            else if (DateTime.UtcNow > deadline)
            {
                throw new PostgresClusterException(
                    $"PostgreSQL in {_server.Directory} runs but does not answer within {ReadyWithin.TotalSeconds} s; it last "
                    + $"said: {_server.LastWords()}");
            }

            // Starting, recovering, or ending after a kill: processes of a dead server must be gone before a new one may write.
            await Task.Delay(Pause, token);
        }
    }

    private async Task StartAsync(CancellationToken token)
    {
        if (_port == 0 || !IsFree(_port))
        {
            _port = FreePort();
            await File.WriteAllTextAsync(PortFile, _port.ToString(CultureInfo.InvariantCulture), token);
        }

        await _server.StartAsync(_port, token);
    }

    private enum Answer
    {
        None,
        NotYet,
        WrongPassword,
        Ready,
    }

    private async Task<Answer> AnswersAsync(CancellationToken token)
    {
        if (_port == 0)
        {
            return Answer.None;
        }

        try
        {
            await using var connection = new NpgsqlConnection(ConnectionString() + ";Pooling=false;Timeout=2");
            await connection.OpenAsync(token);
            return Answer.Ready;
        }
        catch (PostgresException error)
        {
            return error.SqlState is PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification
                ? Answer.WrongPassword
                : Answer.NotYet;
        }
        catch (Exception error) when (error is NpgsqlException or SocketException or TimeoutException)
        {
            return Answer.None;
        }
    }

    private static int? ReadPort(string file) =>
        File.Exists(file) && int.TryParse(File.ReadAllText(file), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? port
            : null;

    private static int FreePort()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(LowestPort, PortAfterHighest);
            if (IsFree(port))
            {
                return port;
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

