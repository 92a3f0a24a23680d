using System.Text.Json;
using Alt.Infra;
using Alt.Infra.Audits;
using Spectre.Console;

namespace Alt.Host;

/// <summary>Where a command writes: its result to standard output, everything else to standard error.</summary>
internal sealed class Output(bool json, bool csv = false)
{
    private const int WholeLines = 10_000;

    /// <summary>For messages while the command works. Plain lines where standard error is no terminal.</summary>
    public IAnsiConsole Aside { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>Whether a line may be overwritten: standard error is a terminal, and no log is shown there.</summary>
    public bool Live { get; } = !Console.IsErrorRedirected && !Logs.AreShown;

    public void Say(string line) => Console.Error.WriteLine(line);

    /// <summary>
    /// A result that is a table: as one JSON document, as CSV, or as <paramref name="human"/> writes it (null writes the table).
    /// </summary>
    public void Result<T>(T result, Listing table, Action<IAnsiConsole>? human = null)
    {
        if (csv)
        {
            Listings.WriteCsv(Console.Out, table);
        }
        else
        {
            Result(result, human ?? (console => Listings.WriteTable(console, table)));
        }
    }

    /// <summary>The command's result: exactly one JSON document, or what <paramref name="human"/> writes.</summary>
    public void Result<T>(T result, Action<IAnsiConsole> human)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(result, AltJson.Indented));
        }
        else
        {
            if (Console.IsOutputRedirected)
            {
                // A reader of a pipe wants whole lines.
                AnsiConsole.Profile.Width = WholeLines;
            }

            human(AnsiConsole.Console);
        }
    }
}
