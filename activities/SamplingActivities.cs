using System.Diagnostics;
using Alt.Activities.Model;
using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Samples generations chunk by chunk: from the base model in iteration 1, then from the policy given the best feedback.</summary>
public sealed class SamplingActivities(Ledger ledger, ArtifactStore artifacts, Policies policies)
{
    [Activity]
    public Task SampleAsync(ChunkRef chunk) => Heartbeats.DuringAsync("Sampling", "tokens", async (progress, token) =>
    {
        var (run, number) = chunk.Iteration;
        var state = await ledger.IterationAsync(run, number, token);
        if (state.Chunk(Stage.Sampling, chunk.Chunk) is not null)
        {
            return;
        }

        var config = (await ledger.RunAsync(run, token)).Config;
        var (checkpoint, weights) = await PolicyTrail.AfterAsync(ledger, run, number - 1, token);
        var policy = await policies.LoadAsync(checkpoint, token);
        var sampler = Conditioned(chunk.Iteration) ? PolicySampler.Conditioned(policy, config.Feedback, c => c.Of(0)) : PolicySampler.Unconditioned(policy);
        var prompts = await chunk.PartOf(artifacts.ReadJsonLinesAsync<Prompt>(state.Prompts!.Prompts, token), config.Sampling.ChunkPrompts).ToArrayAsync(token);

        var clock = Stopwatch.StartNew();
        var samples = sampler.Sample(
            prompts, config.Sampling.Generations, config.Sampling.ToOptions(), config.Sampling.BatchSize, new RandomKey(config.Seed, number, Stage.Sampling), progress, token);
        var finished = new IterationEvent.ChunkFinished(
            Stage.Sampling, chunk.Chunk, await artifacts.PutJsonLinesAsync(samples, token), samples.Count, samples.Sum(s => s.Tokens.Length), clock.Elapsed.TotalSeconds);
        await ledger.RecordAsync(run, number, s => s.Chunk(Stage.Sampling, chunk.Chunk), finished,
            Projections.AddSamples(run, chunk.Chunk, weights, config.Seed, samples), token);
    });

    [Activity]
    public Task CompleteSamplingAsync(IterationRef iteration) => Heartbeats.DuringAsync("Sampling", "chunks", async (_, token) =>
    {
        var config = (await ledger.RunAsync(iteration.Run, token)).Config;
        var state = await ledger.IterationAsync(iteration.Run, iteration.Number, token);
        if (state.Sampling is not null)
        {
            return;
        }

        var chunks = state.Chunks(Stage.Sampling);
        StageSums.Require(Stage.Sampling, chunks, state.Prompts!.Chunks, state.Prompts.Count * config.Sampling.Generations);
        var truncated = 0;
        foreach (var chunk in chunks)
        {
            truncated += await artifacts.ReadJsonLinesAsync<Sample>(chunk.Result, token).CountAsync(s => s.FinishReason == FinishReason.Length, token);
        }

        var (_, policy) = await PolicyTrail.AfterAsync(ledger, iteration.Run, iteration.Number - 1, token);
        var sampled = new IterationEvent.GenerationsSampled(
            policy, Conditioned(iteration) ? config.Feedback.Tags[0] : null, chunks.Sum(c => c.Count), truncated, chunks.Sum(c => c.Tokens), chunks.Sum(c => c.Seconds));
        await ledger.RecordAsync(iteration.Run, iteration.Number, s => s.Sampling, sampled, token: token);
    });

    private static bool Conditioned(IterationRef iteration) => iteration.Number > 1;
}
