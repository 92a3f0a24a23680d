using System.Text.RegularExpressions;

namespace Alt.Tests.House;

/// <summary>What holds for every line of the sources.</summary>
public sealed partial class TextTests
{
    private const int LongestLine = 160;

    [Fact]
    public void No_line_of_code_is_longer_than_a_screen()
    {
        var wrong = from file in Source.Files("*.cs")
                    from line in Code(File.ReadLines(Repository.PathOf(file)))
                    where line.Text.Length > LongestLine
                    select $"{file}:{line.Number} has {line.Text.Length} characters";

        Assert.Equal([], wrong.ToArray());
    }

    [Fact]
    public void No_text_names_a_command_that_does_not_exist()
    {
        var root = Alt.Host.CommandLine.Create();
        var commands = root.Subcommands.Select(c => c.Name).Append("test").ToHashSet();
        var wrong = from file in Source.Files("*.cs").Concat(Source.Files("*.md"))
                    from line in File.ReadLines(Repository.PathOf(file)).Index()
                    from match in Command().Matches(line.Item)
                    where !commands.Contains(match.Groups[1].Value)
                    select $"{file}:{line.Index + 1} names {match.Value}";

        Assert.Equal([], wrong.ToArray());
    }

    // What stands in a raw string is SQL, HTML or JSON: a break would change it.
    private static IEnumerable<(int Number, string Text)> Code(IEnumerable<string> lines)
    {
        var isRaw = false;
        foreach (var (index, line) in lines.Index())
        {
            var quotes = line.Split("\"\"\"").Length - 1;
            if (quotes == 0 && !isRaw)
            {
                yield return (index + 1, line);
            }

            isRaw ^= quotes % 2 == 1;
        }
    }

    [GeneratedRegex(@"\./alt ([a-z][a-z-]*)")]
    private static partial Regex Command();
}
