namespace Alt.Domain;

/// <summary>How a judge's labels compare with known ones, and with themselves when it is asked again.</summary>
/// <param name="Agreement">Share of samples whose first label is the known one; a sample without a label does not agree.</param>
/// <param name="Kappa">
/// Cohen's kappa of the samples that have a label: agreement beyond what chance would give; null where chance alone would agree.
/// </param>
/// <param name="Confusion">
/// By known level (rows), how often the judge said each level, and in the last column that it gave no label.
/// </param>
/// <param name="Consistency">
/// Of the samples that have a label in each of several askings, the share with the same level in all; null without such samples.
/// </param>
/// <param name="Contradictions">Of those, the share whose levels lie two or more apart.</param>
public sealed record JudgeAgreement(
    int Samples, double Agreement, double? Kappa, IReadOnlyList<IReadOnlyList<int>> Confusion, double? Consistency, double? Contradictions)
{
    /// <param name="judged">
    /// Each sample's known level and the levels that the judge gave in each asking, null for none; levels are 0 (the best) to
    /// <paramref name="levels"/> - 1.
    /// </param>
    /// <exception cref="ArgumentException">There is no sample.</exception>
    public static JudgeAgreement Measure(IReadOnlyList<(int Known, IReadOnlyList<int?> Said)> judged, int levels)
    {
        if (judged.Count == 0)
        {
            throw new ArgumentException("Agreement is measured on one sample or more.", nameof(judged));
        }

        var confusion = Enumerable.Range(0, levels).Select(_ => new int[levels + 1]).ToArray();
        foreach (var (known, said) in judged)
        {
            confusion[known][said[0] ?? levels]++;
        }

        var labelled = judged.Where(j => j.Said.Count > 1 && j.Said.All(s => s is not null))
            .Select(j => j.Said.OfType<int>().ToArray()).ToArray();
        return new JudgeAgreement(
            judged.Count,
            (double)judged.Count(j => j.Said[0] == j.Known) / judged.Count,
            KappaOf(confusion, levels),
            confusion,
            labelled.Length > 0 ? (double)labelled.Count(said => said.Distinct().Count() == 1) / labelled.Length : null,
            labelled.Length > 0 ? (double)labelled.Count(said => said.Max() - said.Min() >= 2) / labelled.Length : null);
    }

    /// <summary>The level that a reward in [0, 1] is nearest to, with levels evenly spread from 1 (level 0) to 0.</summary>
    public static int LevelOf(double reward, int levels) =>
        Math.Clamp((int)Math.Round((1 - reward) * (levels - 1), MidpointRounding.AwayFromZero), 0, levels - 1);

    private static double? KappaOf(int[][] confusion, int levels)
    {
        var labelled = confusion.Sum(row => row.Take(levels).Sum());
        if (labelled == 0)
        {
            return null;
        }

        var same = Enumerable.Range(0, levels).Sum(i => confusion[i][i]) / (double)labelled;
        var chance = Enumerable.Range(0, levels)
            .Sum(i => confusion[i].Take(levels).Sum() / (double)labelled * confusion.Sum(row => row[i]) / labelled);
        return chance == 1 ? null : (same - chance) / (1 - chance);
    }
}
