namespace Alt.Domain;

public sealed record PromptsConfig
{
    /// <summary>Prompts drawn per iteration: without replacement inside an iteration, with replacement across iterations.</summary>
    public int PerIteration { get; init; } = 300;

    /// <summary>
    /// Prompts of iteration 1, whose unconditioned samples are the pool's stock of bad ones; 0 takes <see cref="PerIteration"/>.
    /// </summary>
    public int FirstIteration { get; init; }

    /// <summary>
    /// Wrap each prompt as a user's message by the chat template of <c>model.checkpoint</c>, as its model was trained to read one. Feedback
    /// then stands where that message begins, inside the user's turn; without it the model reads what transformers'
    /// <c>apply_chat_template</c> gives.
    /// </summary>
    public bool ChatTemplate { get; init; }

    /// <summary>
    /// What the template is given as the system's message; null leaves it to the template, which may have one of its own.
    /// </summary>
    public string? SystemMessage { get; init; }

    public int CountIn(int iteration) => iteration == 1 && FirstIteration > 0 ? FirstIteration : PerIteration;

    internal IEnumerable<(bool Ok, string Problem)> Checks(ModelConfig model) =>
    [
        (PerIteration > 0, $"prompts.perIteration is {PerIteration}, expected 1 or more"),
        (!ChatTemplate || model.Checkpoint is not null,
            "prompts.chatTemplate is true, expected model.checkpoint too: the model that a run pretrains has no chat template"),
        (
            SystemMessage is null || ChatTemplate,
            "prompts.systemMessage is given, expected prompts.chatTemplate too, which says where it stands"),
    ];
}
