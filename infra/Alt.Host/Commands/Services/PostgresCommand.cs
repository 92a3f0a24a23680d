using System.CommandLine;
using System.Diagnostics;
using Alt.Infra;

namespace Alt.Host.Commands;

/// <summary><c>alt with-postgres</c>: lends the home's PostgreSQL to one command, such as the tests.</summary>
internal static class PostgresCommand
{
    public static Command Create()
    {
        var words = new Argument<string[]>("COMMAND")
        {
            Description = "The command and its arguments, after --.",
            Arity = ArgumentArity.OneOrMore
        };
        var command = new Command("with-postgres", "Run a command with PostgreSQL's connection string in ALT_POSTGRES.") { words };
        command.SetAction(async (parsed, token) =>
        {
            await using var cluster = await PostgresCluster.JoinAsync(AltHome.Find().Root, token);
            var start = new ProcessStartInfo(parsed.GetValue(words)![0], parsed.GetValue(words)!.Skip(1));
            start.Environment["ALT_POSTGRES"] = cluster.ConnectionString();
            using var process = Process.Start(start) ?? throw new HostException($"cannot start {start.FileName}");
            // The terminal sends Ctrl-C to the command too; it ends by itself.
            await process.WaitForExitAsync(CancellationToken.None);
            return process.ExitCode;
        });
        return command.WithExamples("./alt with-postgres -- sh -c 'echo $ALT_POSTGRES'");
    }
}
