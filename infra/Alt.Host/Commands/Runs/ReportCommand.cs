using System.CommandLine;
using Alt.Host.Reports;

namespace Alt.Host.Commands;

/// <summary><c>alt report</c>: a run's results so far, as a table and as a page with curves.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        var (run, json) = (Options.Run(), Options.Json());
        var command = new Command("report", "Print a run's table of iterations and write its page with curves.") { run, json };
        command.SetAction(async (parsed, token) =>
        {
            var home = AltHome.Find();
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            var report = await record.AskAsync(l => l.ReportAsync(RunId.Check(parsed.GetValue(run)!), token), token);
            var page = HtmlReport.Write(home, report);
            new Output(parsed.GetValue(json)).Result(report, console => ReportTable.Write(console, report, page));
            return 0;
        });
        return command.WithExamples("./alt report quickstart-1121-1002", "./alt report quickstart-1121-1002 --json");
    }
}
