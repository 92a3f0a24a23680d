using System.Text;
using Alt.Domain;

namespace Alt.Activities.Feedback;

/// <summary>
/// What a run's remote judges would be asked, for prompts of the mean length, if every sample were as long as it can get and nothing
/// failed.
/// </summary>
/// <param name="Samples">Samples to judge over all iterations.</param>
/// <param name="Accounts">One for each remote judge; none where all judges are local.</param>
public sealed record JudgingEstimate(long Samples, IReadOnlyList<AccountEstimate> Accounts)
{
    /// <summary>US dollars.</summary>
    public decimal Cost => Accounts.Sum(a => a.Cost);

    public static JudgingEstimate Of(RunConfig config)
    {
        var samples = Enumerable.Range(1, config.Iterations).Sum(n => (long)config.Prompts.CountIn(n)) * config.Sampling.Generations;
        var prompts = DataSource.Open(config).Prompts();
        var prompt = (int)Math.Ceiling(prompts.Average(p => Encoding.UTF8.GetByteCount(p.Text)) / RemoteJudge.BytesPerToken);
        return new JudgingEstimate(samples, [.. AccountsOf(config.Feedback.Judge, samples, prompt, config.Sampling)]);
    }

    private static IEnumerable<AccountEstimate> AccountsOf(
        JudgeConfig judge, long samples, int prompt, SamplingConfig sampling, string? shipped = null)
    {
        var both = prompt + sampling.MaxNewTokens;
        return judge switch
        {
            JudgeConfig.Ensemble ensemble => ensemble.Members.SelectMany(m => AccountsOf(m.Judge, samples, prompt, sampling)),
            JudgeConfig.LanguageModel model => [Of(
                model, model.Model, samples, LanguageModelJudge.TemplateOf(model, shipped).Length / RemoteJudge.BytesPerToken + both,
                model.MaxTokens)],
            JudgeConfig.Scorer scorer => [Of(scorer, scorer.Model, (samples + scorer.Batch - 1) / scorer.Batch, 0, 0)],
            JudgeConfig.Perspective perspective => [Of(perspective, PerspectiveJudge.Service, samples, 0, 0)],
            JudgeConfig.R3 r3 =>
            [
                .. r3.Encoder is null ? [Of(r3, r3.Model, samples, both, 0)] : Array.Empty<AccountEstimate>(),
                .. r3.Classifier is null
                    ? []
                    : AccountsOf(R3Judge.Asked(r3.Classifier), samples / sampling.Generations, prompt, sampling, R3Judge.ShippedQuestion),
            ],
            _ => [],
        };
    }

    private static AccountEstimate Of(JudgeConfig.Remote remote, string model, long calls, long input, long output)
    {
        var limits = remote.Calls;
        var minutes = Math.Max(
            limits.RequestsPerMinute > 0 ? (double)calls / limits.RequestsPerMinute : 0,
            limits.TokensPerMinute > 0 ? (double)calls * (input + output) / limits.TokensPerMinute : 0);
        return new AccountEstimate(
            remote.Endpoint, model, calls, calls * input, calls * output, limits.CostOf(calls * input, calls * output),
            minutes > 0 ? TimeSpan.FromMinutes(minutes) : null);
    }
}

/// <param name="InputTokens">By the length of the texts, on the high side.</param>
/// <param name="OutputTokens">At most.</param>
/// <param name="Cost">US dollars.</param>
/// <param name="AtQuota">How long the calls take at the account's quota; null where it has none.</param>
public sealed record AccountEstimate(
    string Endpoint, string Model, long Calls, long InputTokens, long OutputTokens, decimal Cost, TimeSpan? AtQuota);
