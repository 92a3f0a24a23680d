using System.Diagnostics;
using System.Globalization;

namespace Alt.Infra;

/// <summary>The processes of a server: its main one, if it is alive, and whether any exist.</summary>
internal sealed record PostgresProcesses(int? Postmaster, bool Any);

/// <summary>PostgreSQL's own programs, run on one data directory as a user that is not root.</summary>
/// <remarks>
/// PostgreSQL refuses to run as root, and the user it runs as may not enter the directories above (a checkout below /root). So the
/// programs get the cluster's directory opened, as descriptor 9, and reach everything through it; no capability is needed.
/// </remarks>
internal sealed class PostgresServer
{
    private const string Here = "/proc/self/fd/9";
    private const long LongestLog = 16 << 20;

    private const string Settings =
        """

        # Alt: loopback only, durable as it comes, modest.
        listen_addresses = '127.0.0.1'
        unix_socket_directories = ''
        max_connections = 100
        shared_buffers = 128MB
        max_wal_size = 1GB
        jit = off
        recovery_init_sync_method = syncfs
        log_timezone = 'UTC'
        timezone = 'UTC'
        """;

    private readonly string _programs;
    private readonly (uint User, uint Group)? _runAs;

    private PostgresServer(string directory, string programs, (uint User, uint Group)? runAs)
    {
        Directory = directory;
        _programs = programs;
        _runAs = runAs;
    }

    public string Directory { get; }

    public bool Exists => File.Exists(Path.Combine(Data, "PG_VERSION"));

    private string Data => Path.Combine(Directory, "data");

    private string Log => Path.Combine(Directory, "server.log");

    /// <summary>The newest installed PostgreSQL, or the one that made the data.</summary>
    /// <exception cref="PostgresClusterException">None is installed, or root finds no user to run it as.</exception>
    public static async Task<PostgresServer> FindAsync(string directory, CancellationToken token)
    {
        var version = Path.Combine(directory, "data", "PG_VERSION");
        var madeBy = File.Exists(version) ? (await File.ReadAllTextAsync(version, token)).Trim() : null;
        return new PostgresServer(
            directory, await ProgramsAsync(directory, madeBy, token), Posix.IsRoot ? await UserAsync(directory, token) : null);
    }

    /// <exception cref="PostgresClusterException">The data directory exists but is not valid.</exception>
    public void RefuseDamagedData()
    {
        if (System.IO.Directory.Exists(Data) && !Exists)
        {
            throw new PostgresClusterException(
                $"{Data} is no PostgreSQL data directory (it has no PG_VERSION): restore a backup there, or delete it to "
                + "begin with an empty cluster");
        }
    }

    /// <summary>Creates the data directory; it appears under its name only when it is complete.</summary>
    public async Task CreateAsync(string user, string password, CancellationToken token)
    {
        var unfinished = Path.Combine(Directory, "new");
        if (System.IO.Directory.Exists(unfinished))
        {
            System.IO.Directory.Delete(unfinished, recursive: true);
        }

        System.IO.Directory.CreateDirectory(unfinished);
        var passwordFile = Path.Combine(Directory, "initial.password");
        try
        {
            Posix.WriteSecret(passwordFile, password);
            foreach (var path in (string[])[Directory, unfinished, passwordFile])
            {
                GiveAway(path);
            }

            await RunAsync(
                "initdb", token, "-D", $"{Here}/new", "-U", user, $"--pwfile={Here}/initial.password",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions");
            await File.AppendAllTextAsync(Path.Combine(unfinished, "postgresql.conf"), Settings, token);
            System.IO.Directory.Move(unfinished, Data);
        }
        finally
        {
            File.Delete(passwordFile);
        }
    }

    /// <summary>Starts the server and waits until it answers.</summary>
    public async Task StartAsync(int port, CancellationToken token)
    {
        // No server runs on this directory, so a file left by a killed one names a process that has ended, or an unrelated one.
        File.Delete(Path.Combine(Data, "postmaster.pid"));
        if (new FileInfo(Log) is { Exists: true, Length: > LongestLog })
        {
            File.Delete(Log);
        }

        await RunAsync(
            "pg_ctl", token, "start", "-D", $"{Here}/data", "-w", "-t", "60", "-l", $"{Here}/server.log", "-o",
            $"-p {port.ToString(CultureInfo.InvariantCulture)}");
    }

    /// <summary>Ends all sessions and stops the server.</summary>
    public Task StopAsync(CancellationToken token) =>
        RunAsync("pg_ctl", token, "stop", "-D", $"{Here}/data", "-m", "fast", "-w", "-t", "60");

    /// <summary>The living processes whose working directory is the data directory, which is where PostgreSQL's processes stay.</summary>
    public async Task<PostgresProcesses> RunningAsync(CancellationToken token)
    {
        if (!Exists)
        {
            return new PostgresProcesses(null, false);
        }

        const string Find = $"for p in /proc/[0-9]*; do [ \"$p/cwd\" -ef {Here}/data ] && echo \"${{p#/proc/}}\"; done; true";
        (var _, var output) = await ExecuteAsync("sh", ["-c", Find], token);
        int[] running = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => int.Parse(line, CultureInfo.InvariantCulture))];
        var lockFile = Path.Combine(Data, "postmaster.pid");
        int? postmaster = File.Exists(lockFile)
            && int.TryParse(File.ReadLines(lockFile).FirstOrDefault(), out var id) && running.Contains(id)
            ? id
            : null;
        return new PostgresProcesses(postmaster, running.Length > 0);
    }

    /// <summary>The end of the server's log, on one line.</summary>
    public string LastWords()
    {
        if (!File.Exists(Log))
        {
            return "nothing";
        }

        string[] lines = [.. File.ReadLines(Log).TakeLast(50)];
        string[] grave = [.. lines.Where(line =>
            line.Contains("FATAL:", StringComparison.Ordinal) || line.Contains("PANIC:", StringComparison.Ordinal)
                || line.Contains("HINT:", StringComparison.Ordinal))];
        return string.Join(" / ", (grave.Length > 0 ? grave : lines).TakeLast(3));
    }

    private static async Task<string> ProgramsAsync(string directory, string? madeBy, CancellationToken token)
    {
        var folders = System.IO.Directory.Exists("/usr/lib/postgresql")
            ? System.IO.Directory.GetDirectories("/usr/lib/postgresql")
            : [];
        var candidates = folders.Select(folder => Path.Combine(folder, "bin"))
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries));
        var found = new List<(int Version, string Path)>();
        foreach (var path in candidates.Where(path =>
            File.Exists(Path.Combine(path, "pg_ctl")) && File.Exists(Path.Combine(path, "initdb"))))
        {
            // "pg_ctl (PostgreSQL) 15.10 (Debian …)"
            (var _, var said) = await CommandLine.RunAsync(Path.Combine(path, "pg_ctl"), ["--version"], token);
            string number = new([.. said.SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(char.IsAsciiDigit)]);
            found.Add((int.TryParse(number, out var version) ? version : 0, path));
        }

        if (found.Count == 0)
        {
            throw new PostgresClusterException(
                "PostgreSQL is not installed (looked for pg_ctl and initdb in /usr/lib/postgresql/*/bin and on PATH): "
                + "apt-get install postgresql");
        }

        return found.OrderByDescending(candidate => candidate.Version)
            .FirstOrDefault(candidate => madeBy is null || candidate.Version.ToString(CultureInfo.InvariantCulture) == madeBy).Path
            ?? throw new PostgresClusterException(
                $"the cluster in {directory} was made by PostgreSQL {madeBy}, which is not installed: apt-get install postgresql-{madeBy}");
    }

    /// <summary>The user that root runs PostgreSQL as: the owner of the data, or postgres, or nobody.</summary>
    private static async Task<(uint User, uint Group)> UserAsync(string directory, CancellationToken token)
    {
        var data = Path.Combine(directory, "data");
        if (System.IO.Directory.Exists(data))
        {
            (var _, var owner) = await CommandLine.RunAsync("stat", ["-c", "%u %g", data], token);
            var ids = owner.Split(' ', StringSplitOptions.TrimEntries);
            if (uint.TryParse(ids[0], out var user) && user != 0)
            {
                return (user, uint.Parse(ids[1], CultureInfo.InvariantCulture));
            }
        }

        var accounts = (await File.ReadAllLinesAsync("/etc/passwd", token))
            .Select(line => line.Split(':')).Where(fields => fields.Length > 3).ToDictionary(fields => fields[0]);
        var account = accounts.GetValueOrDefault("postgres") ?? accounts.GetValueOrDefault("nobody")
            ?? throw new PostgresClusterException(
                "PostgreSQL does not run as root, and there is neither a user 'postgres' nor 'nobody' to run it as: "
                + "useradd --system postgres");
        return (uint.Parse(account[2], CultureInfo.InvariantCulture), uint.Parse(account[3], CultureInfo.InvariantCulture));
    }

    private void GiveAway(string path)
    {
        if (_runAs is { } owner)
        {
            Posix.ChangeOwner(path, owner.User, owner.Group);
        }
    }

    /// <summary>Runs one of PostgreSQL's client programs, as the user that this process runs as.</summary>
    /// <exception cref="PostgresClusterException">The program failed.</exception>
    public async Task ClientAsync(string program, string password, CancellationToken token, params string[] arguments)
    {
        var (exitCode, output) = await CommandLine.RunAsync(Path.Combine(_programs, program), arguments, token, ("PGPASSWORD", password));
        if (exitCode != 0)
        {
            var said = string.Join(
                " / ", output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(3));
            throw new PostgresClusterException($"{program} failed: {said}");
        }
    }

    /// <exception cref="PostgresClusterException">The program failed.</exception>
    private async Task RunAsync(string program, CancellationToken token, params string[] arguments)
    {
        (var exitCode, var output) = await ExecuteAsync(Path.Combine(_programs, program), arguments, token);
        if (exitCode != 0)
        {
            var said = string.Join(
                " / ", output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(3));
            var command = string.Join(' ', [program, .. arguments]).Replace(Here, Directory, StringComparison.Ordinal);
            throw new PostgresClusterException(program == "pg_ctl"
                ? $"PostgreSQL failed: '{command}' said: {said}; its log says: {LastWords()}; see {Log}. If the data is damaged, restore a "
                    + $"backup to {Data}, or delete it to begin with an empty cluster"
                    : $"PostgreSQL failed: '{command}' said: {said}");
        }
    }

    private Task<(int ExitCode, string Output)> ExecuteAsync(string program, string[] arguments, CancellationToken token)
    {
        string[] asUser = _runAs is { } user
            ? ["setpriv", $"--reuid={user.User}", $"--regid={user.Group}", "--clear-groups", program]
            : [program];
        return CommandLine.RunAsync("sh", ["-c", "cd / && exec 9<\"$0\" && exec \"$@\"", Directory, .. asUser, .. arguments], token);
    }
}

/// <summary>Runs a program to its end.</summary>
internal static class CommandLine
{
    /// <summary>
    /// Exit code, and standard output and error in the order of their lines. Messages are in English, settings of libpq are not passed on.
    /// </summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IEnumerable<string> arguments, CancellationToken token, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        start.Environment["LC_ALL"] = "C";
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(token);
        var error = process.StandardError.ReadToEndAsync(token);
        await process.WaitForExitAsync(token);
        return (process.ExitCode, await output + await error);
    }
}
