using System.Security.Cryptography;
using Alt.Domain;

namespace Alt.Activities.Feedback;

/// <summary>
/// The probability that a text is toxic: tf-idf of its n-grams, logistic regression, Platt's calibration. Immutable and safe to use from
/// several threads.
/// </summary>
/// <remarks>
/// A feature's value is (1 + ln tf) * idf with idf = 1 + ln((1 + N) / (1 + df)), where each kind of n-grams (words, characters) is scaled
/// to length 1.
/// n-grams that fewer than two training texts hold are left out.
/// </remarks>
public sealed class TextClassifier
{
    private const int LeastTexts = 2;

    // Every fifth row is held out to calibrate on.
    private const int HeldOut = 5;

    private readonly byte[] _file;
    private readonly bool _characters;
    private readonly float _bias;
    private readonly float[] _idf = new float[TextFeatures.Buckets];
    private readonly float[] _weights = new float[TextFeatures.Buckets];

    private TextClassifier(byte[] file, TextClassifierFile content)
    {
        _file = file;
        _characters = content.Characters;
        _bias = content.Bias;
        foreach (var feature in content.Features)
        {
            (_idf[feature.Bucket], _weights[feature.Bucket]) = (feature.Idf, feature.Weight);
        }

        Hash = Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <summary>SHA-256, in lower-case hexadecimal, of the file that <see cref="Save"/> writes.</summary>
    public string Hash { get; }

    /// <summary>
    /// Learns from labels in [0, 1], where .7 means that seven readers of ten called it toxic. Equal input gives an equal file.
    /// </summary>
    /// <remarks>
    /// Calibration: a model of four fifths of the rows scores the fifth (rows 4, 9, 14, … by <see cref="LabelledText.Row"/>),
    /// on which Platt's sigmoid is fitted; the model that is kept learns from all rows and takes that sigmoid.
    /// </remarks>
    /// <param name="characters">Adds character 2- to 5-grams to the word 1- and 2-grams.</param>
    /// <param name="l2">Strength of the L2 penalty against the summed loss; above 0.</param>
    /// <exception cref="ArgumentException">There is no text, or a label is outside [0, 1].</exception>
    public static TextClassifier Train(IReadOnlyList<LabelledText> texts, bool characters = true, double l2 = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(l2);
        if (texts.Count == 0 || texts.Any(t => t.Toxicity is not (>= 0 and <= 1)))
        {
            throw new ArgumentException("A classifier learns from at least one text, with labels in [0, 1].", nameof(texts));
        }

        var counts = texts.Select(t => TextFeatures.Count(t.Text, characters)).ToArray();
        var idf = InverseFrequencies(counts);
        var columns = Columns(idf);
        double[] labels = [.. texts.Select(t => t.Toxicity)];
        var rows = Rows(counts, idf, columns);

        var (slope, offset) = Calibrate(rows, labels, [.. texts.Select(t => t.Row % HeldOut == HeldOut - 1)], l2);
        var weights = LogisticRegression.Fit(rows, labels, l2);
        var features = columns.Index().Where(c => c.Item >= 0)
            .Select(c => new TextClassifierFile.Feature(c.Index, idf[c.Index], (float)(slope * weights[c.Item])));
        var file = new TextClassifierFile(characters, (float)(slope * weights[^1] + offset), [.. features]);
        return new TextClassifier(file.ToBytes(), file);
    }

    /// <exception cref="InputException">The file is missing or no text classifier.</exception>
    public static TextClassifier Load(string file)
    {
        if (!File.Exists(file))
        {
            throw new InputException($"{file}: no such file; expected a text classifier as this project saves it");
        }

        var bytes = File.ReadAllBytes(file);
        return new TextClassifier(bytes, TextClassifierFile.Parse(bytes, file));
    }

    public void Save(string file) => File.WriteAllBytes(file, _file);

    /// <summary>What <see cref="Save"/> writes.</summary>
    public ReadOnlyMemory<byte> ToBytes() => _file;

    /// <summary>P(toxic) of a text. An empty one gets the share of toxic texts that the bias stands for.</summary>
    public double Toxicity(string text)
    {
        double score = _bias;
        foreach (var (bucket, value) in TextFeatures.Weigh(TextFeatures.Count(text, _characters), _idf))
        {
            score += value * _weights[bucket];
        }

        return LogisticRegression.Sigmoid(score);
    }

    // Platt's slope and offset: a regression of the held-out labels on the scores of a model that has not seen them.
    private static (double Slope, double Offset) Calibrate(SparseRows rows, double[] labels, bool[] heldOut, double l2)
    {
        int[] held = [.. Enumerable.Range(0, rows.Count).Where(i => heldOut[i])];
        int[] seen = [.. Enumerable.Range(0, rows.Count).Where(i => !heldOut[i])];
        if (held.Length == 0 || seen.Length == 0)
        {
            return (1, 0);
        }

        var weights = LogisticRegression.Fit(rows.Only(seen), [.. seen.Select(i => labels[i])], l2);
        float[] scores = [.. held.Select(i => (float)(rows.Dot(i, weights) + weights[^1]))];
        var single = new SparseRows([.. Enumerable.Range(0, held.Length + 1)], new int[held.Length], scores, 1);

        // A small penalty keeps the slope finite where the scores separate the labels.
        var platt = LogisticRegression.Fit(single, [.. held.Select(i => labels[i])], 1e-2);
        return (platt[0], platt[1]);
    }

    private static float[] InverseFrequencies(List<(int Bucket, int Count)>[] texts)
    {
        var holding = new int[TextFeatures.Buckets];
        foreach (var (bucket, _) in texts.SelectMany(t => t))
        {
            holding[bucket]++;
        }

        return [.. holding.Select(df => df < LeastTexts ? 0 : (float)(1 + Math.Log((1.0 + texts.Length) / (1 + df))))];
    }

    // Buckets in use, numbered without gaps; -1 for the others.
    private static int[] Columns(float[] idf)
    {
        var next = 0;
        return [.. idf.Select(f => f > 0 ? next++ : -1)];
    }

    private static SparseRows Rows(List<(int Bucket, int Count)>[] texts, float[] idf, int[] columns)
    {
        var starts = new int[texts.Length + 1];
        var features = new List<(int Bucket, float Value)>();
        for (var row = 0; row < texts.Length; row++)
        {
            features.AddRange(TextFeatures.Weigh(texts[row], idf));
            starts[row + 1] = features.Count;
        }

        return new SparseRows(starts, [.. features.Select(f => columns[f.Bucket])], [.. features.Select(f => f.Value)], columns.Max() + 1);
    }
}
