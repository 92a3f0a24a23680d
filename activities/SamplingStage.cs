using System.Diagnostics;
using Alt.Activities.Model;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Draws generations, from the base model in iteration 1, then from the policy given the best feedback, and sums them up.</summary>
public sealed class SamplingStage(Ledger ledger, ArtifactStore artifacts, Policies policies)
{
    /// <returns>The chunk's event, its samples, and the hash of the weights that drew them.</returns>
    public async Task<(IterationEvent.ChunkFinished Finished, IReadOnlyList<Sample> Samples, string Policy)> SampleAsync(
        StageInputs inputs, int chunk, IProgress<(long Done, long Total)>? progress, CancellationToken token)
    {
        var config = inputs.Config;
        var (checkpoint, weights) = await PolicyTrail.AfterAsync(ledger, inputs.Iteration.Run, inputs.Number - 1, token);
        var policy = await policies.LoadAsync(checkpoint, token);
        var sampler = IsConditioned(inputs) ? PolicySampler.Conditioned(policy, config.QuantileFeedback(), c => c.Of(0)) : PolicySampler.Unconditioned(policy);
        var drawn = artifacts.ReadJsonLinesAsync<Prompt>(inputs.State.Prompts!.Prompts, token);
        var prompts = await new ChunkRef(inputs.Iteration, chunk).PartOf(drawn, config.Sampling.ChunkPrompts).ToArrayAsync(token);

        var clock = Stopwatch.StartNew();
        var samples = sampler.Sample(
            prompts, config.Sampling.Generations, config.Sampling.ToOptions(), config.Sampling.BatchSize, new RandomKey(config.Seed, inputs.Number, Stage.Sampling), progress, token);
        var finished = new IterationEvent.ChunkFinished(
            Stage.Sampling, chunk, await artifacts.PutJsonLinesAsync(samples, token), samples.Count, samples.Sum(s => s.Tokens.Length), clock.Elapsed.TotalSeconds);
        return (finished, samples, weights);
    }

    /// <exception cref="InvalidOperationException">A chunk is missing, or the samples are not as many as there should be.</exception>
    public async Task<IterationEvent.GenerationsSampled> SumUpAsync(StageInputs inputs, CancellationToken token)
    {
        var (config, state) = (inputs.Config, inputs.State);
        var chunks = state.Chunks(Stage.Sampling);
        StageSums.Require(Stage.Sampling, chunks, state.Prompts!.Chunks, state.Prompts.Count * config.Sampling.Generations);
        var truncated = 0;
        foreach (var chunk in chunks)
        {
            truncated += await artifacts.ReadJsonLinesAsync<Sample>(chunk.Result, token).CountAsync(s => s.FinishReason == FinishReason.Length, token);
        }

        var (_, policy) = await PolicyTrail.AfterAsync(ledger, inputs.Iteration.Run, inputs.Number - 1, token);
        return new IterationEvent.GenerationsSampled(
            policy, IsConditioned(inputs) ? config.Feedback.Tags[0] : null, chunks.Sum(c => c.Count), truncated, chunks.Sum(c => c.Tokens), chunks.Sum(c => c.Seconds));
    }

    private static bool IsConditioned(StageInputs inputs) => inputs.Number > 1;
}
