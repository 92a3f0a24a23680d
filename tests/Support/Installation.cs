using System.Diagnostics;
using Alt.Infra;
using Npgsql;

namespace Alt.Tests;

/// <summary>A home of its own, with the real program working in it as a user's would: separate processes, its own PostgreSQL.</summary>
internal sealed class Installation : IAsyncDisposable
{
    /// <summary>Small enough for seconds, with every stage, two iterations, several chunks and several checkpoints.</summary>
    private static readonly string TinyConfig = $$"""
        name: tiny
        iterations: 2
        data: { grammar: {{Repository.PathOf("infra", "experiments", "grammar.yaml")}}, comments: 2000 }
        model:
          layers: 1
          width: 32
          heads: 2
          positions: 96
          vocabulary: 400
          pretraining: { steps: 30, batchSize: 8, blockLength: 32, checkpointEvery: 10 }
        rewardModel: { comments: 300, characters: false }
        prompts: { perIteration: 32 }
        sampling: { generations: 2, maxNewTokens: 12, chunkPrompts: 16 }
        training: { steps: 12, batchSize: 16, checkpointEvery: 4 }
        evaluation: { prompts: 16, generations: 4, maxNewTokens: 12 }
        """;

    /// <summary>The program that <c>./alt</c> has built; without it, the one beside the tests.</summary>
    private static readonly string Program =
        Environment.GetEnvironmentVariable("ALT_PROGRAM") ?? Path.Combine(AppContext.BaseDirectory, "Alt.Host.dll");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("alt-host-");

    public Installation() => File.WriteAllText(Config, TinyConfig);

    public string Home => PathOf("home");

    /// <summary>A config file of a run of seconds.</summary>
    public string Config => PathOf("tiny.yaml");

    /// <summary>More variables for the programs that are started from now on.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    public string PathOf(params string[] parts) => Path.Combine([_folder.FullName, .. parts]);

    /// <summary>Starts the program; standard input is at its end.</summary>
    public RunningProgram Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments])
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ALT_HOME"] = Home;
        start.Environment["ALT_CHECKOUT"] = Repository.Root;
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }

        return new RunningProgram(Process.Start(start)!);
    }

    /// <summary>The address of the home's server, once it listens.</summary>
    public async Task<string> ServerAddressAsync()
    {
        var file = Path.Combine(Home, "temporal.address");
        await Wait.ForAsync(() => File.Exists(file), "the server's address");
        return (await File.ReadAllTextAsync(file)).Trim();
    }

    public async Task<ProgramEnd> RunAsync(params string[] arguments)
    {
        await using var program = Start(arguments);
        return await program.EndAsync();
    }

    /// <summary>Starts a run and kills its command, and with it everything else, when the base model has been evaluated.</summary>
    public async Task KillAfterFirstEvaluationAsync(string run, params string[] options)
    {
        await using var program = Start(["run", Config, "--run-id", run, .. options]);
        await program.SaysAsync("iteration 0 (base model)");
        program.Kill();
        await Wait.ForAsync(() => Processes().Count == 0, "the end of all processes");
    }

    /// <summary>Runs a statement on the home's record and returns the first value, as text.</summary>
    public async Task<string> QueryAsync(string sql)
    {
        await using var cluster = await PostgresCluster.JoinAsync(Home);
        await using var source = NpgsqlDataSource.Create(await cluster.EnsureDatabaseAsync("alt"));
        await using var command = source.CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Process ids of this home's processes of a kind: run, server, worker or postgres.</summary>
    public IReadOnlyList<int> Processes(string kind) =>
        kind == "postgres"
            ? [.. Postmaster().Where(IsAlive)]
            : [.. OfThisHome().Where(p => p.Arguments is [_, _, var command, ..] && command == kind).Select(p => p.Id)];

    /// <summary>All live processes of this home.</summary>
    public IReadOnlyList<int> Processes() => [.. OfThisHome().Select(p => p.Id), .. Processes("postgres")];

    /// <summary>Sends kill -9, once such a process exists.</summary>
    public async Task KillAsync(string kind)
    {
        await Wait.ForAsync(() => Processes(kind).Count > 0, $"a {kind} process");
        Kill(Processes(kind)[0]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var id in Processes())
        {
            Kill(id);
        }

        await Wait.ForAsync(() => Processes().Count == 0, "the end of all processes");
        _folder.Delete(recursive: true);
    }

    private static void Kill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // It ended by itself.
        }
    }

    private static bool IsAlive(int id) => Directory.Exists($"/proc/{id}");

    private IEnumerable<int> Postmaster()
    {
        var file = Path.Combine(Home, "pg", "data", "postmaster.pid");
        return File.Exists(file) && int.TryParse(File.ReadLines(file).FirstOrDefault(), out var id) ? [id] : [];
    }

    private IEnumerable<(int Id, string[] Arguments)> OfThisHome()
    {
        foreach (var path in Directory.EnumerateDirectories("/proc").Where(p => char.IsAsciiDigit(Path.GetFileName(p)[0])))
        {
            string environment, arguments;
            try
            {
                environment = File.ReadAllText($"{path}/environ");
                arguments = File.ReadAllText($"{path}/cmdline");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The process belongs to another user, or ended meanwhile.
                continue;
            }

            if (environment.Split('\0').Contains($"ALT_HOME={Home}") && arguments.Contains("Alt.Host.dll", StringComparison.Ordinal))
            {
                yield return (int.Parse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture), arguments.Split('\0'));
            }
        }
    }
}
