using System.Diagnostics;
using Alt.Domain;
using Alt.Infra;
using Alt.Model.Sampling;

namespace Alt.Activities;

/// <summary>
/// Draws generations, from the base model in iteration 1, then from the policy given the best feedback, and sums them up.
/// </summary>
public sealed class SamplingStage(Ledger ledger, ArtifactStore artifacts, Policies policies)
{
    public async Task<IterationEvent.ChunkFinished> SampleAsync(
        StageInputs inputs, int chunk, IProgress<(long Done, long Total)>? progress, CancellationToken token)
    {
        var config = inputs.Config;
        var (checkpoint, _) = await PolicyTrail.AfterAsync(ledger, inputs.Iteration.Run, inputs.Number - 1, token);
        var policy = await policies.LoadAsync(checkpoint, inputs.Run.Device, token);
        var sampler = inputs.Number == 1
            ? PolicySampler.Unconditioned(policy, config.Prompts)
            : await new BestFeedback(ledger, artifacts).SamplerAsync(policy, inputs, inputs.Number - 1, Stage.Sampling, token);
        var drawn = artifacts.ReadJsonLinesAsync<Prompt>(inputs.State.Prompts!.Prompts, token);
        var prompts = await inputs.ChunkOfAsync(drawn, chunk).ToArrayAsync(token);

        var clock = Stopwatch.StartNew();
        var samples = sampler.Sample(
            prompts, config.Sampling.Generations, config.Sampling.ToOptions(), config.Sampling.BatchSize,
            new RandomKey(config.Seed, inputs.Number, Stage.Sampling), progress, token);
        return new IterationEvent.ChunkFinished(
            Stage.Sampling, chunk, await artifacts.PutJsonLinesAsync(samples, token), samples.Count, samples.Sum(s => s.Tokens.Length),
            clock.Elapsed.TotalSeconds);
    }

    /// <exception cref="InvalidOperationException">A chunk or a sample is missing, or there is one too many.</exception>
    public async Task<IterationEvent.GenerationsSampled> SumUpAsync(StageInputs inputs, CancellationToken token)
    {
        var (config, state) = (inputs.Config, inputs.State);
        var chunks = state.Chunks(Stage.Sampling);
        StageSums.Require(Stage.Sampling, chunks, state.Prompts!.Chunks, state.Prompts.Count * config.Sampling.Generations);
        var samples = await artifacts.ReadJsonLinesAsync<Sample>(chunks.Select(c => c.Result), token)
            .Select(s => (s.Id, s.FinishReason)).ToArrayAsync(token);
        StageSums.Require(Stage.Sampling, await inputs.SampleIdsAsync(artifacts, token), samples.Select(s => s.Id));
        var (_, policy) = await PolicyTrail.AfterAsync(ledger, inputs.Iteration.Run, inputs.Number - 1, token);
        return new IterationEvent.GenerationsSampled(
            policy, config.ConditioningOf(inputs.Number), samples.Length, samples.Count(s => s.FinishReason == FinishReason.Length),
            chunks.Sum(c => c.Tokens), chunks.Sum(c => c.Seconds));
    }
}
