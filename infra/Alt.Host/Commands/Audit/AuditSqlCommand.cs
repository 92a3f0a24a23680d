using System.CommandLine;
using Alt.Domain;
using Alt.Infra.Audits;

namespace Alt.Host.Commands;

/// <summary><c>alt audit sql</c> and <c>alt audit rebuild</c>: the projections as tables, and how to rebuild them.</summary>
internal static class AuditSqlCommand
{
    public static Command Create()
    {
        var query = new Argument<string>("QUERY") { Description = "One SQL query; docs/audit.md lists the tables." };
        var limit = new Option<int>("--limit") { Description = "How many rows at most.", HelpName = "N", DefaultValueFactory = _ => 1000 };
        var timeout = new Option<double>("--timeout")
        {
            Description = "Seconds after which PostgreSQL gives up.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => 10
        };
        return AuditCommand.Asking(
            "sql", "Ask any SQL query. It can read tables, and nothing else.",
            (parsed, audit, token) =>
            {
                var (rows, seconds) = (parsed.GetValue(limit), parsed.GetValue(timeout));
                return rows < 1 || !(seconds is > 0 and < 1e6)
                    ? throw new InputException("--limit and --timeout must be above 0")
                    : audit.SqlAsync(parsed.GetValue(query)!, rows, TimeSpan.FromSeconds(seconds), token);
            },
            (output, listing) =>
            {
                output.Result(listing, listing);
                if (listing.More)
                {
                    output.Say($"there are more than these {listing.Rows.Count} rows; --limit N gives more");
                }
            },
            query, limit, timeout).WithExamples("./alt audit sql \"select finish_reason, avg(reward) from alt_samples where run = "
                + "'second' group by 1\" --csv");
    }

    public static Command CreateRebuild()
    {
        var json = Options.Json();
        var command = new Command("rebuild", "Rebuild the projections (the alt_ tables) from events and artifacts.") { json };
        command.SetAction(async (parsed, token) =>
        {
            await using var record = await LedgerConnection.OpenExistingAsync(AltHome.Find(), token);
            var rows = await record.AskAsync(ledger => ledger.RebuildAsync(token), token);
            new Output(parsed.GetValue(json))
                .Result(new { rows }, new Listing(["table", "rows"], [.. rows.Select(r => (IReadOnlyList<object?>)[r.Key, r.Value])]));
            return 0;
        });
        return command.WithExamples("./alt audit rebuild");
    }
}
