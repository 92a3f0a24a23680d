using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Alt.Tests.House;

/// <summary>What may use what: the arrows of docs/architecture.md between projects, and between the folders of two of them.</summary>
public sealed partial class ArrowTests
{
    private static readonly Dictionary<string, string[]> Projects = new()
    {
        ["Alt.Domain"] = [],
        ["Alt.Model"] = ["Alt.Domain"],
        ["Alt.Infra"] = ["Alt.Domain"],
        ["Alt.Activities"] = ["Alt.Domain", "Alt.Infra", "Alt.Model"],
        ["Alt.Workflows"] = ["Alt.Activities", "Alt.Domain"],
        ["TemporalServer"] = [],
        ["Alt.Rehearsal"] = ["Alt.Domain", "Alt.Infra"],
        ["Alt.Bench"] = ["Alt.Domain", "Alt.Infra", "Alt.Model", "Alt.Rehearsal", "Alt.Workflows", "TemporalServer"],
        ["Alt.Host"] = [
            "Alt.Activities", "Alt.Bench", "Alt.Domain", "Alt.Infra", "Alt.Model", "Alt.Rehearsal", "Alt.Workflows", "TemporalServer"
        ],
    };

    // The folders of the model, each after those that it uses.
    private static readonly string[] ModelFolders =
        ["Native", "Products", "Network", "Checkpoints", "Tokenizers", "Chat", "Decoding", "Encoders", "Sampling", "Training"];

    // A model reads its own weights, and packs them for decoding.
    private static readonly (string From, string To)[] Exceptions = [("Network", "Checkpoints"), ("Network", "Decoding")];

    public static TheoryData<string> ProjectFiles =>
        [.. Source.Files("*.csproj").Where(f => !f.StartsWith("tests/", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(ProjectFiles))]
    public void A_project_refers_to_no_other_than_the_design_allows(string file)
    {
        var references = XDocument.Load(Repository.PathOf(file)).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!));

        Assert.Equal([], references.Except(Projects[Path.GetFileNameWithoutExtension(file)]));
    }

    [Fact]
    public void A_folder_of_the_model_uses_no_folder_above_it()
    {
        var wrong = from file in Source.Files("*.cs")
                    where file.StartsWith("activities/Alt.Model/", StringComparison.Ordinal)
                    let own = file.Split('/')[2]
                    from used in UsedFolder().Matches(File.ReadAllText(Repository.PathOf(file))).Select(m => m.Groups[1].Value).Distinct()
                    where Array.IndexOf(ModelFolders, used) > Array.IndexOf(ModelFolders, own) && !Exceptions.Contains((own, used))
                    select $"{file} uses {used}";

        Assert.Equal([], wrong.ToArray());
    }

    [Fact]
    public void The_supervisor_does_not_know_the_commands()
    {
        var wrong = Source.Files("*.cs").Where(f => f.StartsWith("infra/Alt.Host/Supervisor/", StringComparison.Ordinal)
            && File.ReadAllText(Repository.PathOf(f)).Contains("Alt.Host.Commands", StringComparison.Ordinal));

        Assert.Equal([], wrong.ToArray());
    }

    [GeneratedRegex(@"using (?:static )?Alt\.Model\.(\w+)")]
    private static partial Regex UsedFolder();
}
