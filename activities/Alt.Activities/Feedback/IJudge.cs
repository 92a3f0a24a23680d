using Alt.Domain;

namespace Alt.Activities.Feedback;

/// <summary>A sample to judge: generation y for prompt x, both as text.</summary>
/// <param name="Reference">A right answer y*, where the prompt came with one.</param>
/// <param name="Erased">The texts are gone, so there is nothing to judge.</param>
public sealed record FeedbackRequest(SampleId Id, string Prompt, string Text, string? Reference = null, bool Erased = false)
{
    /// <summary>The judgement of a sample that says nothing, which no judge of quality is asked about; null for any other.</summary>
    /// <remarks>Saying nothing is not bad, but to reward it would teach the policy to say nothing.</remarks>
    public Judgement? IfEmpty() =>
        string.IsNullOrWhiteSpace(Text) ? new Judgement(Id, new FeedbackOutcome.Abstained("the text is empty")) : null;
}

/// <summary>A judge of generations: a classifier, an API, a language model.</summary>
public interface IJudge
{
    /// <summary>What kind of judge this is, such as <c>text-classifier</c>.</summary>
    string Name { get; }

    /// <summary>
    /// A hash of everything that the judgement depends on beside the sample: weights, or model name, question and settings.
    /// </summary>
    string Version { get; }

    /// <param name="progress">Gets the number of newly judged samples; calls may come from any thread.</param>
    /// <returns>
    /// One judgement for each sample, in the samples' order. A sample that cannot be judged is an outcome too, not an exception.
    /// </returns>
    /// <exception cref="HoldException">It cannot judge until a person acts; what was asked so far is not asked again.</exception>
    Task<IReadOnlyList<Judgement>> JudgeAsync(IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token);
}
