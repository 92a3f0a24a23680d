using System.Diagnostics;
using Alt.Activities.Feedback;
using Alt.Activities.Model;
using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Measures a policy on held-out prompts, given the best feedback; iteration 0 measures the base model.</summary>
public sealed class EvaluationActivities(Ledger ledger, ArtifactStore artifacts, Policies policies, Classifiers classifiers)
{
    /// <returns>How many chunks the evaluation prompts make.</returns>
    [Activity]
    public Task<int> PlanAsync(IterationRef iteration) => Heartbeats.DuringAsync("Evaluation", "prompts", async (_, token) =>
    {
        var run = await ledger.RunAsync(iteration.Run, token);
        return Prompts.Chunks(PromptCount(run), run.Config.Sampling.ChunkPrompts);
    });

    [Activity]
    public Task EvaluateAsync(ChunkRef chunk) => Heartbeats.DuringAsync("Evaluation", "tokens", async (progress, token) =>
    {
        var (name, number) = chunk.Iteration;
        var state = await ledger.IterationAsync(name, number, token);
        if (state.Chunk(Stage.Evaluation, chunk.Chunk) is not null)
        {
            return;
        }

        var run = await ledger.RunAsync(name, token);
        var config = run.Config;
        var evaluationPrompts = artifacts.ReadJsonLinesAsync<Prompt>(run.Data!.Evaluation, token).Take(PromptCount(run));
        var prompts = await chunk.PartOf(evaluationPrompts, config.Sampling.ChunkPrompts).ToArrayAsync(token);
        var (checkpoint, _) = await PolicyTrail.AfterAsync(ledger, name, number, token);
        var policy = await policies.LoadAsync(checkpoint, token);
        var reference = await policies.LoadAsync(run.Base!.Checkpoint, token);
        var judge = await classifiers.LoadAsync((run.Judge ?? run.Reward!).Model, token);

        var clock = Stopwatch.StartNew();
        var sampler = number == 0 ? PolicySampler.Unconditioned(policy) : PolicySampler.Conditioned(policy, config.Feedback, c => c.Of(0));
        var samples = sampler.Sample(
            prompts, config.Evaluation.Generations, config.Evaluation.ToOptions(), config.Sampling.BatchSize, new RandomKey(config.Seed, number, Stage.Evaluation), progress, token);
        var tokens = prompts.ToDictionary(p => p.Ordinal, p => reference.Tokenizer.Encode(p.Text));
        var likelihoods = new LikelihoodScorer(reference.Model, config.Sampling.BatchSize).Score([.. samples.Select(s => (tokens[s.Id.Prompt], s.Tokens))], token);
        var evaluated = samples.Select((s, i) => new EvaluatedSample(s, string.IsNullOrWhiteSpace(s.Text) ? null : judge.Toxicity(s.Text), -likelihoods[i].LogProbability));
        var finished = new IterationEvent.ChunkFinished(
            Stage.Evaluation, chunk.Chunk, await artifacts.PutJsonLinesAsync(evaluated, token), samples.Count, samples.Sum(s => s.Tokens.Length), clock.Elapsed.TotalSeconds);
        await ledger.RecordAsync(name, number, s => s.Chunk(Stage.Evaluation, chunk.Chunk), finished, token: token);
    });

    [Activity]
    public Task CompleteEvaluationAsync(IterationRef iteration) => Heartbeats.DuringAsync("Evaluation", "samples", async (_, token) =>
    {
        var run = await ledger.RunAsync(iteration.Run, token);
        var state = await ledger.IterationAsync(iteration.Run, iteration.Number, token);
        if (state.Evaluation is not null)
        {
            return;
        }

        var (config, prompts) = (run.Config, PromptCount(run));
        var chunks = state.Chunks(Stage.Evaluation);
        StageSums.Require(Stage.Evaluation, chunks, Prompts.Chunks(prompts, config.Sampling.ChunkPrompts), prompts * config.Evaluation.Generations);
        var samples = new List<EvaluatedSample>();
        foreach (var chunk in chunks)
        {
            samples.AddRange(await artifacts.ReadJsonLinesAsync<EvaluatedSample>(chunk.Result, token).ToArrayAsync(token));
        }

        var truth = DataSource.Open(config).GroundTruth;
        var measured = Evaluation.Measure([.. samples.Select(s => new EvaluatedGeneration(
            s.Sample.Id.Prompt, s.Sample.Text, s.Toxicity, truth?.Invoke(s.Sample.Text), s.NegativeLogLikelihood, s.Sample.Tokens.Length, s.Sample.FinishReason == FinishReason.Length))]);
        var evaluated = new IterationEvent.PolicyEvaluated(
            measured.Metrics, measured.Unjudged, measured.Improbable, await artifacts.PutJsonLinesAsync(samples, token), prompts, samples.Count, chunks.Sum(c => c.Seconds));
        await ledger.RecordAsync(iteration.Run, iteration.Number, s => s.Evaluation, evaluated, token: token);
    });

    private static int PromptCount(RunState run) => Math.Min(run.Config.Evaluation.Prompts, run.Data!.EvaluationCount);
}
