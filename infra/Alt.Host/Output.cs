using System.Text.Json;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host;

/// <summary>Where a command's words go: its result to standard output, everything said on the way to standard error.</summary>
internal sealed class Output(bool json)
{
    private const int WholeLines = 10_000;

    /// <summary>For what is said on the way. Plain lines where standard error is no terminal.</summary>
    public IAnsiConsole Aside { get; } = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>Whether somebody watches, so that a line may be written over.</summary>
    public bool Live { get; } = !Console.IsErrorRedirected;

    public void Say(string line) => Console.Error.WriteLine(line);

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
                // Whoever reads a pipe wants whole lines.
                AnsiConsole.Profile.Width = WholeLines;
            }

            human(AnsiConsole.Console);
        }
    }
}
