using Alt.Model.Sampling;

namespace Alt.Model.Training;

/// <summary>One row to learn: the response is predicted, feedback and prompt are read only.</summary>
/// <param name="Feedback">What the policy is conditioned on, and the reference never sees; may be empty.</param>
/// <param name="Prompt">At least one token.</param>
/// <param name="Response">With its end-of-text token where it has one.</param>
public sealed record TrainingExample(int[] Feedback, int[] Prompt, int[] Response)
{
    /// <summary>
    /// How many of the prompt's first tokens stay before the feedback: those that stand before every prompt, such as the beginning of a
    /// text or of a user's message.
    /// </summary>
    public int Lead { get; init; }

    /// <summary>What the policy reads before the response.</summary>
    public int[] Input => new EncodedPrompt(Prompt, Lead).With(Feedback);

    /// <summary>Tokens in all.</summary>
    public int Length => Feedback.Length + Prompt.Length + Response.Length;
}
