using Alt.Domain;
using Alt.Infra;
using Alt.Model.Training;

namespace Alt.Activities;

/// <summary>Where a run's prompts, labels and pretraining text come from. Read once, when the run starts.</summary>
public abstract class DataSource
{
    public static DataSource Open(RunConfig config) =>
        config.Data.Grammar is { } grammar ? new GrammarSource(GrammarFile.Read(grammar), config) : new FileSource(config);

    /// <summary>The prompts to train on; a prompt's position is its ordinal.</summary>
    public abstract IReadOnlyList<Prompt> Prompts();

    /// <summary>Held-out prompts.</summary>
    public abstract IReadOnlyList<Prompt> Evaluation();

    /// <summary>Texts with toxicity labels, and how many rows had none.</summary>
    public abstract (IReadOnlyList<LabelledText> Texts, int Skipped) Labelled();

    /// <summary>What the base model learns its language from.</summary>
    public abstract IEnumerable<PretrainingText> Pretraining();
}

/// <summary>
/// Everything from a seeded grammar of comments; each use has its own range of ordinals, so none sees another's comments.
/// </summary>
internal sealed class GrammarSource(CommentGrammar grammar, RunConfig config) : DataSource
{
    private const int PretrainingFrom = 0, PromptsFrom = 10_000_000, EvaluationFrom = 20_000_000, LabelledFrom = 30_000_000;
    private const int MostCandidates = 100_000;

    public override IReadOnlyList<Prompt> Prompts() =>
        PromptsOf(PromptsFrom, Enumerable.Range(1, config.Iterations).Sum(config.Prompts.CountIn));

    /// <summary>Prompts that occur nowhere else in the run: the grammar is small enough to repeat itself.</summary>
    public override IReadOnlyList<Prompt> Evaluation()
    {
        var seen = Comments(PretrainingFrom, config.Data.Comments).Select(c => c.Prompt).Concat(Prompts().Select(p => p.Text)).ToHashSet();
        var heldOut = Comments(EvaluationFrom, MostCandidates).Select(c => c.Prompt).Where(seen.Add).Take(config.Evaluation.Prompts);
        return [.. heldOut.Select((text, ordinal) => new Prompt(ordinal, text))];
    }

    public override (IReadOnlyList<LabelledText> Texts, int Skipped) Labelled() =>
        ([.. Comments(LabelledFrom, config.RewardModel.Comments).Select((c, i) => new LabelledText(i, c.Continuation, Label(c, i)))], 0);

    public override IEnumerable<PretrainingText> Pretraining() =>
        Comments(PretrainingFrom, config.Data.Comments)
            .Select(c => new PretrainingText(PretrainingSource.Labelled, $"{c.Prompt}{c.Continuation}"));

    private Prompt[] PromptsOf(int from, int count) => [.. Comments(from, count).Select((c, i) => new Prompt(i, c.Prompt))];

    private IEnumerable<Comment> Comments(int from, int count) =>
        Enumerable.Range(from, count).Select(i => grammar.Generate(config.Seed, i));

    private double Label(Comment comment, int ordinal)
    {
        var flipped = Philox.Uniform(new RandomKey(config.Seed, 0, Stage.Feedback, ordinal), 0) < config.RewardModel.LabelNoise;
        return grammar.IsToxic(comment.Continuation) != flipped ? 1 : 0;
    }
}

/// <summary>Prompts, scored rows and plain text from files.</summary>
internal sealed class FileSource(RunConfig config) : DataSource
{
    public override IReadOnlyList<Prompt> Prompts() => PromptFile.Read(config.Data.Prompts!);

    public override IReadOnlyList<Prompt> Evaluation() => PromptFile.Read(config.Data.Evaluation!);

    public override (IReadOnlyList<LabelledText> Texts, int Skipped) Labelled()
    {
        var texts = Rows().SelectMany((row, i) => new (int Row, string Text, double? Toxicity)[]
        {
            (i, row.PromptText, row.PromptToxicity),
            (i, row.ContinuationText, row.ContinuationToxicity),
        }).ToArray();
        return (
            [.. texts.Where(t => t.Toxicity is not null).Select(t => new LabelledText(t.Row, t.Text, t.Toxicity!.Value))],
            texts.Count(t => t.Toxicity is null));
    }

    public override IEnumerable<PretrainingText> Pretraining() =>
        Rows().Select(row => new PretrainingText(PretrainingSource.Labelled, row.PromptText + row.ContinuationText))
            .Concat(config.Data.Text.SelectMany(File.ReadLines).Where(line => !string.IsNullOrWhiteSpace(line))
                .Select(line => new PretrainingText(PretrainingSource.Text, line)));

    private IReadOnlyList<LabelledRow> Rows() => PromptFile.ReadLabelled(config.Data.Labelled ?? config.Data.Prompts!);
}
