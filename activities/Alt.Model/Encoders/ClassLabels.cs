using System.Globalization;
using System.Text.Json.Serialization;
using Alt.Domain;
using Alt.Model.Checkpoints;

namespace Alt.Model.Encoders;

/// <summary>What a classifier's logits stand for, as its <c>config.json</c> says it.</summary>
/// <param name="Names">By index; a single one is a score without bounds.</param>
/// <param name="Scale">How logits become values.</param>
public sealed record ClassLabels(IReadOnlyList<string> Names, LabelScale Scale)
{
    private const string SingleLabel = "single_label_classification";

    // transformers' number of labels where a config does not say it.
    private const int UsualCount = 2;

    internal static ClassLabels Load(CheckpointConfig file)
    {
        var fields = file.As<Fields>();
        var count = fields.Names?.Count ?? fields.Count ?? UsualCount;
        string[] names = [.. Enumerable.Range(0, count)
            .Select(i => fields.Names?.GetValueOrDefault(i.ToString(CultureInfo.InvariantCulture)) ?? $"LABEL_{i}")];
        var type = file.Require("problem_type", SingleLabel, "multi_label_classification", "regression");
        return new ClassLabels(
            names, count == 1 || type == "regression" ? LabelScale.Raw : type == SingleLabel ? LabelScale.Softmax : LabelScale.Sigmoid);
    }

    /// <param name="label">A name or an index; null where there is one label only.</param>
    /// <exception cref="InputException">There is no such label, or several and none is named.</exception>
    public int IndexOf(string? label, string folder)
    {
        var index = label is null ? (Names.Count == 1 ? 0 : -1)
            : Names.Contains(label) ? Names.Index().First(name => name.Item == label).Index
            : int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < Names.Count ? number
            : -1;
        return index >= 0 ? index : throw new InputException(
            $"{folder}: {(label is null ? "label is missing" : $"there is no label '{label}'")}; expected which of the classifier's labels "
            + $"is the reward: {string.Join(", ", Names)}, or a number from 0 to {Names.Count - 1}");
    }

    /// <summary>The probability of a label, or its raw score.</summary>
    public double ValueOf(int label, IReadOnlyList<float> logits) => Scale switch
    {
        LabelScale.Raw => logits[label],
        LabelScale.Sigmoid => 1 / (1 + Math.Exp(-(double)logits[label])),
        // Against the difference, so that no exponent is too large to hold.
        _ => 1 / logits.Sum(other => Math.Exp((double)other - logits[label])),
    };

    private sealed record Fields
    {
        [JsonPropertyName("id2label")]
        public Dictionary<string, string>? Names { get; init; }

        [JsonPropertyName("num_labels")]
        public int? Count { get; init; }
    }
}

/// <summary>
/// Raw: as they are. Softmax: probabilities of labels that exclude each other. Sigmoid: a probability for each label alone.
/// </summary>
public enum LabelScale { Raw, Softmax, Sigmoid }
