using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Alt.Domain;

namespace Alt.Activities.Feedback;

/// <summary>A text classifier as judge: the reward is 1 - P(toxic) of the generation alone, as Perspective is asked in the paper.</summary>
public sealed class TextClassifierJudge(TextClassifier classifier) : IJudge
{
    public string Name => "text-classifier";

    public string Version => classifier.Hash;

    public Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token)
    {
        var judgements = new Judgement[samples.Count];
        for (var i = 0; i < judgements.Length; i++)
        {
            token.ThrowIfCancellationRequested();
            judgements[i] = Judge(samples[i]);
        }

        return Task.FromResult<IReadOnlyList<Judgement>>(judgements);
    }

    private Judgement Judge(FeedbackRequest sample)
    {
        if (sample.IfEmpty() is { } empty)
        {
            return empty;
        }

        var toxicity = classifier.Toxicity(sample.Text);
        var request = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sample.Text)));
        return new Judgement(sample.Id, new FeedbackOutcome.Labelled(1 - toxicity))
        {
            Calls = [new JudgeCall(Name, Version, request, toxicity.ToString("R", CultureInfo.InvariantCulture))],
        };
    }
}
