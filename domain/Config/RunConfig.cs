using System.Text.Json.Serialization;

namespace Alt.Domain;

/// <summary>
/// Everything that decides a run's result. Checked once at the start, stored in <see cref="RunStarted"/>, never changed after.
/// </summary>
public sealed record RunConfig
{
    /// <summary>What the experiment is called; the prefix of generated run ids.</summary>
    public string Name { get; init; } = "run";

    /// <summary>The seed from which every random choice derives.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>How many times the loop runs. Iteration 0 is the base model and is only evaluated.</summary>
    /// <value>Default 4.</value>
    public int Iterations { get; init; } = 4;

    /// <summary>Where the run's models are held and computed: the policy, the reference, and a judge's checkpoint.</summary>
    /// <value>
    /// Default cpu: a config gives the same bits on machines with the same kind of processor and the same libtorch, with a GPU or without.
    /// A GPU rounds differently, so one is used only if a config asks for it.
    /// </value>
    public RunDevice Device { get; init; }

    public DataConfig Data { get; init; } = new();
    public ModelConfig Model { get; init; } = new();
    public ClassifierConfig RewardModel { get; init; } = new();
    public PromptsConfig Prompts { get; init; } = new();
    public SamplingConfig Sampling { get; init; } = new();
    public FeedbackConfig Feedback { get; init; } = new();
    public DataPoolConfig DataPool { get; init; } = new();
    public SelectionConfig Selection { get; init; } = new();
    public TrainingConfig Training { get; init; } = new();
    public EvaluationConfig Evaluation { get; init; } = new();

    /// <summary>
    /// The feedback with one tag per quantile: with fewer quantiles than tags, tags evenly spread from the best to the worst.
    /// </summary>
    public FeedbackConfig QuantileFeedback()
    {
        var (tags, count) = (Feedback.Tags, Selection.Quantiles);
        return count == 0
            ? Feedback
            : Feedback with { Tags = [.. Enumerable.Range(0, count).Select(q => tags[q * (tags.Count - 1) / (count - 1)])] };
    }

    /// <summary>
    /// The feedback that an iteration's samples are given: the best; null in iteration 1, which samples from the base model.
    /// Where the judge uses words of its own, a prompt without an exemplar is given this.
    /// </summary>
    public string? ConditioningOf(int iteration) => iteration > 1 ? QuantileFeedback().Tags[0] : null;

    /// <summary>Whether samples are given exemplars in the judge's own words (ALT_LMU) rather than the best tag.</summary>
    [JsonIgnore]
    public bool HasExemplars => Feedback.Judge is JudgeConfig.LanguageModel { Reply: JudgeReply.Unconstrained };

    /// <summary>One line per invalid setting: key, value, what was expected.</summary>
    public IEnumerable<string> Problems() => Checks().Where(check => !check.Ok).Select(check => check.Problem);

    private IEnumerable<(bool Ok, string Problem)> Checks() =>
    [
        (Iterations >= 0, $"iterations is {Iterations}, expected 0 or more"),
        .. Data.Checks(),
        .. Model.Checks(),
        .. Prompts.Checks(Model),
        .. Sampling.Checks(),
        .. Feedback.Checks(this),
        .. Selection.Checks(Feedback),
        .. Training.Checks(Model),
        .. Evaluation.Checks(),
    ];
}

/// <summary>
/// Cpu: the processor. Cuda: the first GPU. Auto: the GPU where the worker has one when the run starts, otherwise the processor; the
/// choice is recorded and stays.
/// </summary>
public enum RunDevice { Cpu, Cuda, Auto }
