using System.CommandLine;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt verify</c>: whether a run's record is unchanged since it was written.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var (run, json) = (Options.Run(), Options.Json());
        var certificate = new Option<string?>("--certificate")
        {
            Description = "A copy of the run's certificate that was kept elsewhere. Default: the one in .alt/artifacts/certificates.",
            HelpName = "FILE"
        };
        var command = new Command(
            "verify",
            "Check a run's events, artifacts and sums against their seals, hashes and the run's certificate, and "
            + "its tables against those.") { run, certificate, json };
        command.SetAction(async (parsed, token) =>
        {
            var (name, home) = (RunId.Check(parsed.GetValue(run)!), AltHome.Find());
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            var report = await new Verification(record.Ledger, new ArtifactStore(home.Artifacts), name)
                .RunAsync(parsed.GetValue(certificate), token);
            new Output(parsed.GetValue(json)).Result(report, console =>
            {
                foreach (var problem in report.Problems)
                {
                    console.WriteLine(problem);
                }

                console.WriteLine(
                    $"run {name}: {report.Events} events, {report.Artifacts} "
                    + $"artifacts{(report.Erased > 0 ? $" ({report.Erased} replaced by an erasure)" : "")}, {report.Certified} certified "
                    + $"seals; last seal {report.Seal}");
            });
            return report.Problems.Count == 0
                ? 0
                : throw new HostException(
                    $"run '{name}' does not verify, {report.Problems.Count} problem{(report.Problems.Count == 1 ? "" : "s")}: "
                    + $"{report.Problems[0]}");
        });
        return command.WithExamples("./alt verify second", "./alt verify second --certificate second.jsonl --json");
    }
}
