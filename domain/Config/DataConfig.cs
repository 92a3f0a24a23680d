namespace Alt.Domain;

/// <summary>Where prompts, text and labels come from: files, or a grammar that generates all of them.</summary>
public sealed record DataConfig
{
    /// <summary>A YAML grammar of comments (see infra/experiments); takes the place of every other source.</summary>
    public string? Grammar { get; init; }

    /// <summary>JSON lines <c>{"prompt":{"text"}}</c> or <c>{"prompt":"…"}</c> to draw training prompts from.</summary>
    public string? Prompts { get; init; }

    /// <summary>Prompts of the same shape, for evaluation only.</summary>
    public string? Evaluation { get; init; }

    /// <summary>
    /// JSON lines with scored prompts and continuations, for the reward model and the judge; null takes <see cref="Prompts"/>.
    /// </summary>
    public string? Labelled { get; init; }

    /// <summary>Plain text to pretrain the base model on, beside the labelled rows' prompts and continuations.</summary>
    public IReadOnlyList<string> Text { get; init; } = [];

    /// <summary>Share of the pretraining tokens that comes from <see cref="Labelled"/> rather than <see cref="Text"/>.</summary>
    /// <value>Default 0.6.</value>
    public double LabelledShare { get; init; } = 0.6;

    /// <summary>How many comments the grammar generates to pretrain on.</summary>
    /// <value>Default 45,000.</value>
    public int Comments { get; init; } = 45_000;

    internal IEnumerable<(bool Ok, string Problem)> Checks() =>
    [
        (
            Grammar is null != Prompts is null,
            "data needs exactly one source of prompts: data.prompts (a JSON-lines file) or data.grammar (a YAML file)"),
        (Grammar is not null || Evaluation is not null, "data.evaluation is missing, expected a JSON-lines file of prompts"),
    ];
}
