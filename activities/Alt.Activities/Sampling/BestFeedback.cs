using Alt.Domain;
using Alt.Infra;
using Alt.Model.Sampling;

namespace Alt.Activities;

/// <summary>Asks a trained policy for its best: by the best tag, or by exemplars of the best feedback that an iteration received.</summary>
public sealed class BestFeedback(Ledger ledger, ArtifactStore artifacts)
{
    /// <summary>Exemplars belong to no generation, so they use a generation number that no prompt has.</summary>
    private const int NoGeneration = -1;

    /// <param name="source">The iteration whose feedback the exemplars are from.</param>
    /// <param name="stage">The stage that samples.</param>
    public async Task<PolicySampler> SamplerAsync(Policy policy, StageInputs inputs, int source, Stage stage, CancellationToken token)
    {
        var config = inputs.Config;
        var feedback = config.QuantileFeedback();
        if (!config.HasExemplars)
        {
            return PolicySampler.Conditioned(policy, config.Prompts, feedback, c => c.Of(0));
        }

        var state = source == inputs.Number ? inputs.State : await ledger.IterationAsync(inputs.Iteration with { Number = source }, token);
        var judged = artifacts.ReadJsonLinesAsync<Judgement>(state.Chunks(Stage.Feedback).Select(c => c.Result), token);
        var outcomes = await judged.Select(j => j.Outcome).ToArrayAsync(token);
        var best = Exemplars.Best(outcomes);
        return PolicySampler.ByExemplar(
            policy, config.Prompts, feedback, prompt =>
                Exemplars.Of(best, new RandomKey(config.Seed, inputs.Number, stage, prompt.Ordinal, NoGeneration), feedback.Tags[0]));
    }
}
