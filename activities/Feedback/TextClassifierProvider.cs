using Alt.Domain;

namespace Alt.Activities.Feedback;

/// <summary>A text classifier as judge: the reward is 1 - P(toxic) of the generation alone, as Perspective is asked in the paper.</summary>
public sealed class TextClassifierProvider(TextClassifier classifier) : IFeedbackProvider
{
    public string Name => "text-classifier";

    public string Version => classifier.Hash;

    public Task<IReadOnlyList<FeedbackOutcome>> JudgeAsync(IReadOnlyList<FeedbackRequest> samples, CancellationToken token)
    {
        var outcomes = new FeedbackOutcome[samples.Count];
        for (var i = 0; i < outcomes.Length; i++)
        {
            token.ThrowIfCancellationRequested();
            outcomes[i] = Judge(samples[i].Text);
        }

        return Task.FromResult<IReadOnlyList<FeedbackOutcome>>(outcomes);
    }

    // Saying nothing is not toxic, but to reward it would teach the policy to say nothing.
    private FeedbackOutcome Judge(string text) =>
        string.IsNullOrWhiteSpace(text) ? new FeedbackOutcome.Abstained("the text is empty") : new FeedbackOutcome.Labelled(1 - classifier.Toxicity(text));
}
