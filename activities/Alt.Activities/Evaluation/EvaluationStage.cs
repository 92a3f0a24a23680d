using System.Diagnostics;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;
using Alt.Model.Sampling;

namespace Alt.Activities;

/// <summary>Measures a policy on held-out prompts, given the best feedback; iteration 0 measures the base model.</summary>
public sealed class EvaluationStage(Ledger ledger, ArtifactStore artifacts, Policies policies, Classifiers classifiers)
{
    /// <summary>How many chunks the evaluation prompts make.</summary>
    public static int Chunks(RunState run) => Prompts.Chunks(PromptCount(run), run.Config.Sampling.ChunkPrompts);

    public async Task<IterationEvent.ChunkFinished> EvaluateAsync(
        StageInputs inputs, int chunk, IProgress<(long Done, long Total)>? progress, CancellationToken token)
    {
        var (config, number, run) = (inputs.Config, inputs.Number, inputs.Run);
        var evaluationPrompts = artifacts.ReadJsonLinesAsync<Prompt>(run.Data!.Evaluation, token).Take(PromptCount(run));
        var prompts = await inputs.ChunkOfAsync(evaluationPrompts, chunk).ToArrayAsync(token);
        var (checkpoint, _) = await PolicyTrail.AfterAsync(ledger, inputs.Iteration.Run, number, token);
        var policy = await policies.LoadAsync(checkpoint, run.Device, token);
        var reference = await policies.LoadAsync(run.Base!.Checkpoint, run.Device, token);
        var judge = await classifiers.LoadAsync((run.EvaluationClassifier ?? run.RewardClassifier!).Model, token);

        var clock = Stopwatch.StartNew();
        var sampler = number == 0
            ? PolicySampler.Unconditioned(policy, config.Prompts)
            : await new BestFeedback(ledger, artifacts).SamplerAsync(policy, inputs, number, Stage.Evaluation, token);
        var samples = sampler.Sample(
            prompts, config.Evaluation.Generations, config.Evaluation.ToOptions(), config.Sampling.BatchSize,
            new RandomKey(config.Seed, number, Stage.Evaluation), progress, token);
        var encoder = PromptEncoder.For(reference.Tokenizer, config.Prompts);
        var tokens = prompts.ToDictionary(p => p.Ordinal, p => encoder.Encode(p.Text).Tokens);
        var likelihoods = new LikelihoodScorer(reference.Model, config.Sampling.BatchSize)
            .Score([.. samples.Select(s => (tokens[s.Id.Prompt], s.Tokens))], token);
        var evaluated = samples.Select((s, i) =>
            new EvaluatedSample(s, string.IsNullOrWhiteSpace(s.Text) ? null : judge.Toxicity(s.Text), -likelihoods[i].LogProbability));
        return new IterationEvent.ChunkFinished(
            Stage.Evaluation, chunk, await artifacts.PutJsonLinesAsync(evaluated, token), samples.Count, samples.Sum(s => s.Tokens.Length),
            clock.Elapsed.TotalSeconds);
    }

    /// <exception cref="InvalidOperationException">A chunk is missing, or the generations are not as many as there should be.</exception>
    public async Task<IterationEvent.PolicyEvaluated> MeasureAsync(StageInputs inputs, CancellationToken token)
    {
        var (config, prompts) = (inputs.Config, PromptCount(inputs.Run));
        var chunks = inputs.State.Chunks(Stage.Evaluation);
        StageSums.Require(Stage.Evaluation, chunks, Chunks(inputs.Run), prompts * config.Evaluation.Generations);
        var samples = await artifacts.ReadJsonLinesAsync<EvaluatedSample>(chunks.Select(c => c.Result), token).ToArrayAsync(token);
        var truth = await GroundTruthAsync(inputs.Run, token);
        var measured = Evaluation.Measure([.. samples.Select(s => new EvaluatedGeneration(
            s.Sample.Id.Prompt, s.Sample.Text, s.Toxicity, truth?.Invoke(s.Sample.Text), s.NegativeLogLikelihood, s.Sample.Tokens.Length,
            s.Sample.FinishReason == FinishReason.Length))]);
        return new IterationEvent.PolicyEvaluated(
            measured.Metrics, measured.Unjudged, measured.Improbable, await artifacts.PutJsonLinesAsync(samples, token), prompts,
            samples.Length, chunks.Sum(c => c.Seconds));
    }

    /// <summary>The grammar's own verdict whether a continuation is toxic; null where no grammar is the source.</summary>
    private async Task<Func<string, bool>?> GroundTruthAsync(RunState run, CancellationToken token) =>
        run.Data!.Grammar is { } grammar ? GrammarFile.Read(await artifacts.VerifiedPathAsync(grammar, token)).IsToxic : null;

    private static int PromptCount(RunState run) => Math.Min(run.Config.Evaluation.Prompts, run.Data!.EvaluationCount);
}
