using System.CommandLine;
using System.Text;
using Alt.Host;

namespace Alt.Tests.House;

/// <summary>docs/cli.md says what <c>./alt --help</c> says.</summary>
public sealed class CommandPageTests
{
    [Fact]
    public Task The_page_of_commands_is_current() =>
        WrittenDocs.RequireAsync(Repository.PathOf("docs", "cli.md"), Write(CommandLine.Create()));

    private static string Write(RootCommand root)
    {
        var page = new StringBuilder("# Commands\n\n");
        page.Append("Made from the commands themselves: ALT_WRITE_DOCS=1 ./alt test unit writes this page again.\n\n");
        page.Append("Options of every command:\n\n");
        foreach (var option in root.Options)
        {
            page.Append(Line(option.Name, option.HelpName, option.Description));
        }

        foreach (var command in root.Subcommands)
        {
            Write(page, command, "./alt", "##");
        }

        return page.ToString();
    }

    private static void Write(StringBuilder page, Command command, string parent, string heading)
    {
        var name = $"{parent} {command.Name}";
        var arguments = string.Concat(command.Arguments.Select(a => a.Arity.MinimumNumberOfValues == 0 ? $" [{a.Name}]" : $" {a.Name}"));
        page.Append($"\n{heading} `{name}{arguments}`\n\n{command.Description}\n");
        if (command.Arguments.Count + command.Options.Count > 0)
        {
            page.Append('\n');
        }

        foreach (var argument in command.Arguments)
        {
            page.Append(Line(argument.Name, null, argument.Description));
        }

        foreach (var option in command.Options.Where(o => !o.Hidden))
        {
            page.Append(Line(option.Name, option.HelpName, option.Description));
        }

        foreach (var part in command.Subcommands)
        {
            Write(page, part, name, "###");
        }
    }

    private static string Line(string name, string? value, string? description) =>
        $"- `{name}{(value is null ? "" : $" {value}")}`: {description}\n";
}
