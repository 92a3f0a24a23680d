using System.Globalization;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>Regular expressions and lengths as judge; a sample that no rule applies to gets the default, or no opinion.</summary>
public sealed class RulesJudge(JudgeConfig.Rules config) : IJudge
{
    public string Name => "rules";

    public string Version { get; } = AltJson.Hash(config);

    public Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token) =>
        Task.FromResult<IReadOnlyList<Judgement>>([.. samples.Select(Judge)]);

    private Judgement Judge(FeedbackRequest sample)
    {
        var (number, rule) = config.List.Index().FirstOrDefault(r => r.Item.Holds(sample.Text));
        FeedbackOutcome outcome = rule switch
        {
            { Veto: true } => new FeedbackOutcome.Vetoed($"rule {number}"),
            not null => new FeedbackOutcome.Labelled(rule.Reward),
            null when config.Otherwise is { } reward => new FeedbackOutcome.Labelled(reward),
            null => new FeedbackOutcome.Abstained("no rule holds"),
        };
        return new Judgement(sample.Id, outcome)
        {
            Calls = [new JudgeCall(
                Name, Version, AltJson.Hash(sample.Text), rule is null ? "none" : number.ToString(CultureInfo.InvariantCulture))],
        };
    }
}
