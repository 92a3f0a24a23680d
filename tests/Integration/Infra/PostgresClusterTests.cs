using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Alt.Infra;
using Npgsql;

namespace Alt.Tests.Infra;

/// <summary>A state directory that only its owner may enter, as a checkout below /root is.</summary>
public sealed class ClusterHome : IAsyncLifetime
{
    public string Path { get; } = Directory.CreateTempSubdirectory("alt-cluster-").FullName;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await using (await PostgresCluster.JoinAsync(Path))
        {
            // A server that a failed test left running ends with its last user.
        }

        Directory.Delete(Path, recursive: true);
    }
}

public sealed class PostgresClusterTests(ClusterHome home) : IClassFixture<ClusterHome>
{
    private static async Task<string> AskAsync(PostgresCluster cluster, string sql)
    {
        await using var connection = new NpgsqlConnection(cluster.ConnectionString() + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync())?.ToString() ?? "";
    }

    private int? ProcessId => Postmaster.ProcessIdOf(home.Path);

    /// <summary>Kills the server and all its sessions at once, as an out-of-memory killer or a power failure would.</summary>
    private static void KillServer(int process)
    {
        using var server = Process.GetProcessById(process);
        server.Kill();
        server.WaitForExit();
    }

    /// <summary>Stands in for another process that uses the cluster: it holds only that process's lock.</summary>
    private async Task<Process> OtherUserAsync()
    {
        string[] script = ["-c", "exec 8>>\"$0\"; flock --shared 8; echo joined; exec sleep 600", Path.Combine(home.Path, "pg.users")];
        var user = Process.Start(new ProcessStartInfo("sh", script) { RedirectStandardOutput = true })!;
        Assert.Equal("joined", await user.StandardOutput.ReadLineAsync());
        return user;
    }

    [Fact]
    public async Task The_cluster_is_durable_private_and_not_roots()
    {
        await using var cluster = await PostgresCluster.JoinAsync(home.Path);

        Assert.Equal("on on on UTF8 C 127.0.0.1 ", await AskAsync(cluster, """
            select concat_ws(' ', current_setting('fsync'), current_setting('synchronous_commit'), current_setting('data_checksums'), current_setting('server_encoding'),
                datcollate, current_setting('listen_addresses'), current_setting('unix_socket_directories')) from pg_database where datname = 'postgres'
            """));
        Assert.DoesNotContain("Uid:\t0", await File.ReadAllTextAsync($"/proc/{ProcessId}/status"), StringComparison.Ordinal);
        var wrong = new NpgsqlConnectionStringBuilder(
            cluster.ConnectionString())
        { Password = "wrong", Pooling = false }.ConnectionString;
        await using var stranger = new NpgsqlConnection(wrong);
        Assert.Equal("28P01", (await Assert.ThrowsAsync<PostgresException>(() => stranger.OpenAsync())).SqlState);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(home.Path, "pg.password")));
        }
    }

    [Fact]
    public async Task What_was_written_is_there_when_the_cluster_starts_again_on_its_port()
    {
        int port;
        await using (var cluster = await PostgresCluster.JoinAsync(home.Path))
        {
            port = cluster.Port;
            await AskAsync(cluster, "create table if not exists kept (value text)");
            await AskAsync(cluster, "insert into kept values ('here')");
        }

        Assert.Null(ProcessId);
        await using var again = await PostgresCluster.JoinAsync(home.Path);
        Assert.Equal("here", await AskAsync(again, "select max(value) from kept"));
        Assert.Equal(port, again.Port);
    }

    [Fact]
    public async Task The_last_of_several_users_stops_it()
    {
        var first = await PostgresCluster.JoinAsync(home.Path);
        var second = await PostgresCluster.JoinAsync(home.Path);

        await first.DisposeAsync();
        Assert.Equal("1", await AskAsync(second, "select 1"));
        await second.DisposeAsync();

        Assert.Null(ProcessId);
    }

    [Fact]
    public async Task Many_that_join_at_once_share_one_server()
    {
        var users = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostgresCluster.JoinAsync(home.Path)));

        var servers = await Task.WhenAll(users.Select(user => AskAsync(user, "select pg_postmaster_start_time()")));
        Assert.Single(servers.Distinct());
        await Task.WhenAll(users.Select(user => user.DisposeAsync().AsTask()));

        Assert.Null(ProcessId);
    }

    [Fact]
    public async Task A_killed_user_neither_takes_the_server_along_nor_keeps_it_running()
    {
        var survivor = await PostgresCluster.JoinAsync(home.Path);
        using var other = await OtherUserAsync();
        var leaver = await PostgresCluster.JoinAsync(home.Path);
        await leaver.DisposeAsync();

        other.Kill();
        await other.WaitForExitAsync();
        Assert.Equal("1", await AskAsync(survivor, "select 1"));
        await survivor.DisposeAsync();

        Assert.Null(ProcessId);
    }

    [Fact]
    public async Task A_server_that_others_use_is_left_running()
    {
        var leaver = await PostgresCluster.JoinAsync(home.Path);
        using var other = await OtherUserAsync();

        await leaver.DisposeAsync();
        Assert.NotNull(ProcessId);

        other.Kill();
        await other.WaitForExitAsync();
        await (await PostgresCluster.JoinAsync(home.Path)).DisposeAsync();
        Assert.Null(ProcessId);
    }

    [Fact]
    public async Task A_killed_server_is_started_again_with_all_that_was_committed()
    {
        await using var cluster = await PostgresCluster.JoinAsync(home.Path);
        await AskAsync(cluster, "create table if not exists committed (value int)");
        var before = int.Parse(
            await AskAsync(cluster, "select count(*) from committed"), System.Globalization.CultureInfo.InvariantCulture);
        for (var killed = 1; killed <= 2; killed++)
        {
            await AskAsync(cluster, "insert into committed values (1)");
            KillServer(ProcessId!.Value);

            await cluster.EnsureRunningAsync();

            Assert.Equal($"{before + killed}", await AskAsync(cluster, "select count(*) from committed"));
        }
    }

    [Fact]
    public async Task A_server_that_died_with_its_users_does_not_stand_in_the_way_of_the_next()
    {
        var last = await PostgresCluster.JoinAsync(home.Path);
        KillServer(ProcessId!.Value);
        await last.DisposeAsync();
        Assert.True(File.Exists(Path.Combine(home.Path, "pg", "data", "postmaster.pid")));

        await using var next = await PostgresCluster.JoinAsync(home.Path);

        Assert.Equal("1", await AskAsync(next, "select 1"));
    }

    [Fact]
    public async Task A_port_that_another_process_took_is_changed_for_another()
    {
        int port;
        await using (var cluster = await PostgresCluster.JoinAsync(home.Path))
        {
            port = cluster.Port;
        }

        using var intruder = new TcpListener(IPAddress.Loopback, port);
        intruder.Start();
        await using var moved = await PostgresCluster.JoinAsync(home.Path);

        Assert.NotEqual(port, moved.Port);
        Assert.Equal("1", await AskAsync(moved, "select 1"));
    }

    [Fact]
    public async Task A_database_is_created_once()
    {
        await using var cluster = await PostgresCluster.JoinAsync(home.Path);

        var databases = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => cluster.EnsureDatabaseAsync("alt")));

        Assert.Equal("alt", new NpgsqlConnectionStringBuilder(databases.Distinct().Single()).Database);
    }

    [Fact]
    public async Task Damaged_data_is_one_clear_line_and_stays_as_it_is()
    {
        await (await PostgresCluster.JoinAsync(home.Path)).DisposeAsync();
        var control = Path.Combine(home.Path, "pg", "data", "global", "pg_control");
        var sound = await File.ReadAllBytesAsync(control);
        byte[] damaged = [.. sound];
        damaged[100] ^= 0xff;
        await File.WriteAllBytesAsync(control, damaged);
        try
        {
            var error = await Assert.ThrowsAsync<PostgresClusterException>(() => PostgresCluster.JoinAsync(home.Path));

            Assert.DoesNotContain('\n', error.Message);
            Assert.Contains("incorrect checksum in control file", error.Message, StringComparison.Ordinal);
            Assert.Contains("restore a backup", error.Message, StringComparison.Ordinal);
            Assert.Equal(damaged, await File.ReadAllBytesAsync(control));
        }
        finally
        {
            await File.WriteAllBytesAsync(control, sound);
        }

        await (await PostgresCluster.JoinAsync(home.Path)).DisposeAsync();
    }

    [Fact]
    public async Task Data_of_a_version_that_is_not_installed_says_what_to_install()
    {
        var other = Directory.CreateTempSubdirectory("alt-cluster-").FullName;
        var data = Directory.CreateDirectory(Path.Combine(other, "pg", "data")).FullName;
        await File.WriteAllTextAsync(Path.Combine(data, "PG_VERSION"), "7\n");

        var error = await Assert.ThrowsAsync<PostgresClusterException>(() => PostgresCluster.JoinAsync(other));

        Assert.Contains(
            "made by PostgreSQL 7, which is not installed: apt-get install postgresql-7", error.Message, StringComparison.Ordinal);
        Directory.Delete(other, recursive: true);
    }

    [Fact]
    public async Task A_directory_that_is_no_cluster_is_not_overwritten()
    {
        var other = Directory.CreateTempSubdirectory("alt-cluster-").FullName;
        var data = Directory.CreateDirectory(Path.Combine(other, "pg", "data")).FullName;
        await File.WriteAllTextAsync(Path.Combine(data, "precious"), "x");

        var error = await Assert.ThrowsAsync<PostgresClusterException>(() => PostgresCluster.JoinAsync(other));

        Assert.Contains("is no PostgreSQL data directory", error.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(data, "precious")));
        Directory.Delete(other, recursive: true);
    }
}
