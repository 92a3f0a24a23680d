using System.CommandLine;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt backup</c>: everything that is recorded, in one file.</summary>
internal static class BackupCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The file to write, a tar." };
        var json = Options.Json();
        var command = new Command("backup", "Write the record of all runs and their artifacts to one file. Runs may continue meanwhile.")
        {
            file, json
        };
        command.SetAction(async (parsed, token) =>
        {
            var (home, path) = (AltHome.Find(), parsed.GetValue(file)!);
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            var manifest = await WholeFile.WriteAsync("FILE", path, stream =>
                Backup.WriteAsync(
                    record.Cluster, LedgerConnection.Database, new ArtifactStore(home.Artifacts), stream, home.Root, DateTimeOffset.UtcNow,
                    token));
            new Output(parsed.GetValue(json)).Result(
                new { file = path, files = manifest.Files.Count, dump = manifest.Dump }, console =>
                    console.WriteLine($"database and {manifest.Files.Count} files in {path}"));
            return 0;
        });
        return command.WithExamples("./alt backup runs.tar");
    }
}
