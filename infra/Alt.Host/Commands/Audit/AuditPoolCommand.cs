using System.CommandLine;
using System.Globalization;
using Alt.Domain;
using Alt.Infra.Audits;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt audit pool</c>: the datapool as it was at an event, a time or an iteration.</summary>
internal static class AuditPoolCommand
{
    public static Command Create()
    {
        var run = Options.Run();
        var atEvent = new Option<long?>("--at-event")
        {
            Description = "As it was after this event; ./alt audit events RUN shows their numbers.",
            HelpName = "N"
        };
        var atTime = new Option<DateTimeOffset?>("--at")
        {
            Description = "As it was at this time, such as 2026-11-21T13:00Z.",
            HelpName = "TIME"
        };
        var iteration = new Option<int?>("--iteration") { Description = "As this iteration made it. Default: the newest.", HelpName = "K" };
        var limit = new Option<int>("--limit")
        {
            Description = "How many entries to list; 0 lists all.",
            HelpName = "N",
            DefaultValueFactory = _ => 20
        };
        var after = new Option<string?>("--after") { Description = "List from the entry after this sample.", HelpName = "ID" };
        var command = AuditCommand.Asking(
            "pool", "Print the datapool as it is or was. Prints no texts.",
            (parsed, audit, token) =>
            {
                var (count, from) = (parsed.GetValue(limit), parsed.GetValue(after));
                return count < 0
                    ? throw new InputException($"--limit {count}: expected 0 or more")
                    : audit.PoolAsync(
                        RunId.Check(parsed.GetValue(run)!),
                        new Audit.Moment(parsed.GetValue(atEvent), parsed.GetValue(atTime), parsed.GetValue(iteration)),
                        count == 0 ? null : count, from is null ? null : SampleRef.Parse(from).Id, token);
            },
            Write, run, atEvent, atTime, iteration, limit, after);
        command.Validators.Add(result =>
        {
            if (new Option[] { atEvent, atTime, iteration }.Count(o => result.GetResult(o) is { Implicit: false }) > 1)
            {
                result.AddError("--at-event, --at and --iteration name the same moment in different ways; give one of them");
            }
        });
        return command.WithExamples("./alt audit pool second --iteration 2", "./alt audit pool second --at-event 118 --limit 0 --csv");
    }

    private static void Write(Output output, PoolSnapshot pool)
    {
        var table = new Listing(
            ["sample", "reward", "quantile", "finish reason", "decision"],
            [.. pool.Samples.Select(s => (IReadOnlyList<object?>)[s.Id, s.Reward, s.Quantile, s.FinishReason, s.Decision])]);
        output.Result(pool, table, console =>
        {
            console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"run {pool.Run}, pool of iteration {pool.Iteration}, event {pool.Event} at {pool.At.UtcDateTime:u}"));
            console.WriteLine($"{pool.Entries} entries, {pool.Added} new; per quantile, best first: {string.Join(' ', pool.PerQuantile)}");
            console.WriteLine(pool.Selected is { } selected
                ? $"selected {selected}; left out: "
                    + $"{(pool.LeftOut!.Count == 0 ? "none" : string.Join(", ", pool.LeftOut.Select(l => $"{l.Key} {l.Value}")))}"
                    : "not selected from yet");
            console.WriteLine($"pool hash {pool.PoolHash}");
            Listings.WriteTable(console, table);
            if (pool.Samples.Count < pool.Entries && pool.Samples.Count > 0)
            {
                console.WriteLine(
                    $"{pool.Samples.Count} of {pool.Entries} entries; continue with --after {pool.Samples[^1].Id}, or "
                    + "list all with --limit 0");
            }
        });
    }
}
