using System.CommandLine;
using Alt.Infra;
using Alt.Infra.Audits;

namespace Alt.Host.Commands;

/// <summary><c>alt audit</c>: questions to the record. Every subcommand answers as a table, with --json or with --csv.</summary>
internal static class AuditCommand
{
    public static Command Create()
    {
        var command = new Command("audit", "Ask the record: a sample's life, a pool as it was, costs, events, or any SQL query.")
        {
            AuditSampleCommand.Create(), AuditSampleCommand.CreateWhyNot(), AuditPoolCommand.Create(), AuditRunCommands.Diff(),
            AuditRunCommands.Cost(),
            AuditEventsCommand.Create(), AuditSqlCommand.Create(), AuditSqlCommand.CreateRebuild(),
        };
        return command.WithExamples(
            "./alt audit pool second --iteration 2", "./alt audit sample second/2/17/3",
            "./alt audit sql \"select outcome, count(*) from alt_samples group by 1\"");
    }

    /// <summary>A subcommand that asks, and prints what <paramref name="write"/> makes of the answer.</summary>
    public static Command Asking<T>(
        string name, string description, Func<ParseResult, Audit, CancellationToken, Task<T>> ask, Action<Output, T> write,
        params Symbol[] symbols)
    {
        var (json, csv) = (Options.Json(), Options.Csv());
        var command = new Command(name, description) { json, csv };
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                command.Add(argument);
            }
            else
            {
                command.Add((Option)symbol);
            }
        }

        command.SetAction(async (parsed, token) =>
        {
            var home = AltHome.Find();
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            var answer = await record.AskAsync(ledger => ask(parsed, new Audit(ledger, new ArtifactStore(home.Artifacts)), token), token);
            write(new Output(parsed.GetValue(json), parsed.GetValue(csv)), answer);
            return 0;
        });
        return command;
    }
}
