using System.Text.Json.Serialization;
using Alt.Domain;

namespace Alt.Infra;

/// <summary>
/// Labels by people in JSON lines, as <c>alt feedback export</c> writes them and people complete them. An error never repeats a line's
/// text.
/// </summary>
public static class LabelFile
{
    /// <summary>The labels; lines without an opinion are skipped.</summary>
    /// <exception cref="InputException">The file is missing, holds no label, or has a malformed line.</exception>
    public static IReadOnlyList<HumanLabel> Read(string path)
    {
        var rows = JsonLinesFile.Read<Row, Row>(
            path,
            "JSON lines as ./alt feedback export writes them",
            """not a label; expected {"id":{"iteration":1,"prompt":2,"k":3},"reward":0.5} or "tag" or "veto" in place of the reward""",
            (row, _) => row);
        HumanLabel[] labels = [.. rows.Where(row => row.HasOpinion)
            .Select(row => new HumanLabel(row.Id, row.Reward, row.Tag, row.Feedback, row.Veto))];
        return labels.Length > 0
            ? labels
            : throw new InputException($"{path}: holds no label; expected lines with \"reward\", \"tag\" or \"veto\"");
    }

    /// <param name="Id">Required; the exported texts are accepted and not used.</param>
    private sealed record Row(
        [property: JsonRequired] SampleId Id, double? Reward = null, string? Tag = null, bool Veto = false, string? Feedback = null,
        string? Prompt = null, string? Text = null, string? Waits = null)
    {
        [JsonIgnore]
        public bool HasOpinion => Reward is not null || Tag is not null || Veto;
    }
}
