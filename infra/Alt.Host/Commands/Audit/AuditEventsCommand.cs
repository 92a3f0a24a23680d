using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Alt.Domain;
using Alt.Infra;
using Alt.Infra.Audits;

namespace Alt.Host.Commands;

/// <summary><c>alt audit events</c>: what was recorded, and with --follow what is being recorded.</summary>
internal static class AuditEventsCommand
{
    public static Command Create()
    {
        var run = Options.Run();
        var after = new Option<long?>("--after") { Description = "Only events after this number. Default: the last ones.", HelpName = "N" };
        var limit = new Option<int>("--limit") { Description = "How many events at most.", HelpName = "N", DefaultValueFactory = _ => 50 };
        var follow = new Option<bool>("--follow")
        {
            Description = "Continue printing events, one line each (with --json one JSON document each), until the run ends."
        };
        var (json, csv) = (Options.Json(), Options.Csv());
        var command = new Command("events", "Print a run's events. Events hold ids, counts and hashes, no texts.")
        {
            run, after, limit, follow, json, csv
        };
        command.SetAction(async (parsed, token) =>
        {
            var (name, count) = (RunId.Check(parsed.GetValue(run)!), parsed.GetValue(limit));
            if (count < 1)
            {
                throw new InputException($"--limit {count}: expected 1 or more");
            }

            var home = AltHome.Find();
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            var audit = new Audit(record.Ledger, new ArtifactStore(home.Artifacts));
            if (parsed.GetValue(follow))
            {
                await foreach (var e in audit.FollowAsync(name, parsed.GetValue(after), count, token))
                {
                    Console.WriteLine(
                        parsed.GetValue(json) ? JsonSerializer.Serialize(e, AltJson.Options)
                        : string.Join(parsed.GetValue(csv) ? ',' : ' ', Row(e).Take(5).Select(Listings.Text)));
                }

                return 0;
            }

            var events = await record.AskAsync(_ => audit.EventsAsync(name, parsed.GetValue(after), count, token), token);
            var table = new Listing(["event", "time", "stream", "version", "type", "data"], [.. events.Select(Row)]);
            new Output(parsed.GetValue(json), parsed.GetValue(csv)).Result(
                new { run = name, events }, table, console => Listings.WriteTable(
                    console, new Listing([.. table.Columns.Take(5)], [.. table.Rows.Select(r => (IReadOnlyList<object?>)[.. r.Take(5)])])));
            return 0;
        });
        return command.WithExamples(
            "./alt audit events second", "./alt audit events second --follow", "./alt audit events second --after 100 --limit 1000 --json");
    }

    private static IReadOnlyList<object?> Row(RecordedEvent e) =>
        [
            e.Sequence, e.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture), e.Stream, e.Version,
            e.Type, e.Data
        ];
}
