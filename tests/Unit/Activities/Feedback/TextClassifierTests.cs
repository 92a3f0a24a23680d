using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Activities.Feedback;

public sealed class TextClassifierTests : IDisposable
{
    private static readonly LabelledText[] Texts = [.. Enumerable.Range(0, 40).Select(i => i % 2 == 0
        ? new LabelledText(i, $"what a lovely day number {i}", 0.1)
        : new LabelledText(i, $"what a rotten day number {i}", 0.9))];

    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("alt-classifier-").FullName, "classifier.bin");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Fact]
    public void Words_of_toxic_texts_score_high_and_unknown_ones_in_the_middle()
    {
        var classifier = TextClassifier.Train(Texts);
        Assert.InRange(classifier.Toxicity("a rotten number"), 0.75, 0.95);
        Assert.InRange(classifier.Toxicity("a LOVELY number !"), 0.05, 0.25);
        Assert.InRange(classifier.Toxicity("zzz"), 0.4, 0.6);
        Assert.InRange(classifier.Toxicity(""), 0.4, 0.6);
    }

    [Fact]
    public void Characters_see_through_a_changed_spelling_and_words_alone_do_not()
    {
        Assert.InRange(TextClassifier.Train(Texts, characters: true).Toxicity("rottennn"), 0.6, 1);
        Assert.InRange(TextClassifier.Train(Texts, characters: false).Toxicity("rottennn"), 0.4, 0.6);
    }

    [Fact]
    public void Training_is_the_same_for_the_same_texts()
    {
        Assert.Equal(TextClassifier.Train(Texts).Hash, TextClassifier.Train(Texts).Hash);
        Assert.NotEqual(TextClassifier.Train(Texts).Hash, TextClassifier.Train(Texts, characters: false).Hash);
        Assert.NotEqual(TextClassifier.Train(Texts).Hash, TextClassifier.Train(Texts, l2: 2).Hash);
    }

    [Fact]
    public void A_saved_classifier_scores_as_before_and_its_hash_is_that_of_its_file()
    {
        var classifier = TextClassifier.Train(Texts);
        classifier.Save(_file);
        var loaded = TextClassifier.Load(_file);
        Assert.Equal(classifier.Hash, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(_file))));
        Assert.Equal(classifier.Hash, loaded.Hash);
        Assert.Equal(classifier.Toxicity("a rotten day"), loaded.Toxicity("a rotten day"));
    }

    [Fact]
    public void A_classifier_of_an_earlier_build_still_scores_as_it_did()
    {
        var classifier = TextClassifier.Load(Repository.PathOf("tests", "Fixtures", "text-classifier.bin"));
        Assert.Equal(0.934823851, classifier.Toxicity("what a rotten, rotten Day"), 1e-6);
    }

    [Fact]
    public void Labels_outside_the_unit_interval_are_refused()
    {
        Assert.Throws<ArgumentException>(() => TextClassifier.Train([new LabelledText(0, "a", double.NaN)]));
        Assert.Throws<ArgumentException>(() => TextClassifier.Train([new LabelledText(0, "a", 1.1)]));
        Assert.Throws<ArgumentException>(() => TextClassifier.Train([]));
    }

    [Fact]
    public void A_missing_a_foreign_and_a_cut_off_file_are_named()
    {
        Assert.StartsWith($"{_file}: no such file;", Message(), StringComparison.Ordinal);

        File.WriteAllText(_file, "something else that is long enough");
        Assert.StartsWith($"{_file}: not a text classifier;", Message(), StringComparison.Ordinal);

        TextClassifier.Train(Texts).Save(_file);
        File.WriteAllBytes(_file, File.ReadAllBytes(_file)[..^5]);
        Assert.StartsWith($"{_file}: its ", Message(), StringComparison.Ordinal);

        string Message() => Assert.Throws<InputException>(() => TextClassifier.Load(_file)).Message;
    }

    [FactOnSharedData]
    public void Real_continuations_are_separated_and_the_probabilities_are_calibrated()
    {
        var train = Labelled("train.jsonl");
        var validation = PromptFile.ReadLabelled(SharedData.PathOf("real-toxicity-prompts", "validation.jsonl"))
            .Where(r => r.ContinuationToxicity is not null).ToArray();
        foreach (var (characters, least) in new[] { (true, 0.90), (false, 0.84) })
        {
            var classifier = TextClassifier.Train(train, characters);
            var scored = validation.Select(r => (Score: classifier.Toxicity(r.ContinuationText), Label: r.ContinuationToxicity!.Value))
                .ToArray();
            Assert.InRange(Auc(scored.Select(s => (s.Score, s.Label > 0.5))), least, 1);
            Assert.InRange(scored.Average(s => s.Score) - scored.Average(s => s.Label), -0.03, 0.03);
            foreach (var band in scored.GroupBy(s => (int)(s.Score * 5)).Where(b => b.Count() >= 50))
            {
                Assert.InRange(band.Average(s => s.Score) - band.Average(s => s.Label), -0.1, 0.1);
            }
        }
    }

    private static LabelledText[] Labelled(string file) =>
        [.. PromptFile.ReadLabelled(SharedData.PathOf("real-toxicity-prompts", file))
            .SelectMany((row, i) => new[]
            {
                (Row: i, Text: row.PromptText, Toxicity: row.PromptToxicity),
                (Row: i, Text: row.ContinuationText, Toxicity: row.ContinuationToxicity)
            })
            .Where(t => t.Toxicity is not null)
            .Select(t => new LabelledText(t.Row, t.Text, t.Toxicity!.Value))];

    // The probability that a toxic text scores above another, ties half: the area under the ROC curve.
    private static double Auc(IEnumerable<(double Score, bool Toxic)> scored)
    {
        var ranked = scored.OrderBy(s => s.Score).ToArray();
        double positives = ranked.Count(s => s.Toxic), negatives = ranked.Length - positives, ranks = 0;
        for (var start = 0; start < ranked.Length;)
        {
            var end = start;
            while (end < ranked.Length && ranked[end].Score == ranked[start].Score)
            {
                end++;
            }

            ranks += (start + end + 1) / 2.0 * ranked[start..end].Count(s => s.Toxic);
            start = end;
        }

        return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
    }
}
