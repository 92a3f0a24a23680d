using System.Reflection;
using System.Text.RegularExpressions;
using Temporalio.Client;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>The stand-in's README says what it supports, so what it says has to be there.</summary>
public sealed partial class ReadmeTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly ILookup<string, Type> Namespaces =
        typeof(TemporalClient).Assembly.GetExportedTypes().Where(t => t.Namespace is not null).ToLookup(t => t.Namespace!);

    /// <summary>Namespace and member list of each row of the table.</summary>
    public static TheoryData<string, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (Match row in Row().Matches(File.ReadAllText(Repository.PathOf("infra", "Temporalio", "README.md"))))
            {
                rows.Add(row.Groups["namespace"].Value, row.Groups["members"].Value);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void What_the_README_names_exists(string name, string members)
    {
        var types = Namespaces[name].ToArray();
        var there = types.Select(t => t.Name.Split('`')[0]).Concat(types.SelectMany(t => t.GetMembers(Declared)).Select(m => m.Name)).ToHashSet();

        string[] missing = [.. Member().Matches(members).SelectMany(m => m.Groups["name"].Value.Split('.')).Except(there)];

        Assert.NotEmpty(types);
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_public_namespace_has_a_row() =>
        Assert.Empty(Namespaces.Select(n => n.Key).Except(Rows.Select(r => (string)r[0])));

    [GeneratedRegex(@"^\| `(?<namespace>Temporalio[\w.]*)` \| (?<members>.*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"`(?<name>[\w.]+)`")]
    private static partial Regex Member();
}
