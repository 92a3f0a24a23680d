using System.CommandLine;
using Alt.Domain;
using Alt.Host.Supervisor;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt restore</c>: what <c>alt backup</c> wrote, into a home that has no runs.</summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "A file that ./alt backup wrote." };
        var json = Options.Json();
        var command = new Command("restore", "Bring a backup back, into a home without runs, and verify every run in it.") { file, json };
        command.SetAction((parsed, token) => RunAsync(parsed.GetValue(file)!, new Output(parsed.GetValue(json)), token));
        return command.WithExamples("./alt restore runs.tar", "ALT_HOME=/tmp/elsewhere ./alt restore runs.tar");
    }

    private static async Task<int> RunAsync(string file, Output output, CancellationToken token)
    {
        if (!File.Exists(file))
        {
            throw new InputException($"no such file '{file}'; expected a backup that ./alt backup wrote");
        }

        var home = AltHome.Find();
        if (RunServices.IsOwned(home))
        {
            throw new InputException(
                $"a run is under way in {home.Root}; restore into another home: ALT_HOME=DIRECTORY ./alt restore {file}");
        }

        var artifacts = new ArtifactStore(home.Artifacts);
        await using (var empty = await LedgerConnection.OpenAsync(home, token))
        {
            if ((await empty.Ledger.RunsAsync(token)).Count > 0)
            {
                throw new InputException(
                    $"{home.Root} has runs already, which a restore would replace; restore into another home: "
                    + $"ALT_HOME=DIRECTORY ./alt restore {file}");
            }

            await Backup.ReadAsync(empty.Cluster, LedgerConnection.Database, artifacts, file, home.Root, token);
        }

        await using var record = await LedgerConnection.OpenAsync(home, token);
        var runs = new List<VerificationReport>();
        foreach (var run in await record.Ledger.RunsAsync(token))
        {
            runs.Add(await new Verification(record.Ledger, artifacts, run).RunAsync(token: token));
        }

        output.Result(new { file, runs }, console =>
        {
            foreach (var run in runs)
            {
                console.WriteLine(
                    $"run {run.Run}: {run.Events} events, {run.Artifacts} artifacts, "
                    + $"{(run.Problems.Count == 0 ? "verified" : string.Join("; ", run.Problems))}");
            }
        });
        return runs.FirstOrDefault(r => r.Problems.Count > 0) is { } damaged
            ? throw new HostException($"restored, and run '{damaged.Run}' was damaged before it was backed up: {damaged.Problems[0]}")
            : 0;
    }
}
