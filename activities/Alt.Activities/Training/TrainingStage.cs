using Alt.Domain;
using Alt.Infra;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Tokenizers;
using Alt.Model.Training;

namespace Alt.Activities;

/// <summary>One iteration's conditional fine-tuning on the selected samples.</summary>
public sealed class TrainingStage(Ledger ledger, ArtifactStore artifacts, Policies policies)
{
    // Too large for most models, and found to be so within a few steps.
    private const double FirstLossScale = 65_536;

    /// <summary>Trains to the end, from the iteration's last checkpoint where the inputs have one.</summary>
    /// <param name="record">Gets every new checkpoint; null where none are wanted.</param>
    public async Task<IterationEvent.PolicyTrained> TrainAsync(
        StageInputs inputs, Func<IterationEvent.TrainingCheckpointed, Task>? record, IProgress<(long Done, long Total)>? progress,
        CancellationToken token)
    {
        var (iteration, run, state) = (inputs.Iteration, inputs.Run, inputs.State);
        var (name, number) = iteration;
        var config = run.Config;
        var reference = await policies.LoadAsync(run.Base!.Checkpoint, run.Device, token);
        var (before, _) = await PolicyTrail.AfterAsync(ledger, name, number - 1, token);
        var resumed = state.TrainingCheckpoint is { } checkpoint ? await policies.FolderAsync(checkpoint.Checkpoint, token) : null;
        using var policy = resumed is not null ? Policy.Load(resumed, ModelDevice.Of(run.Device))
            : number == 1 ? FirstPolicy(config, reference, await SpokenTokensAsync(run, reference, token))
            : Policy.Load(await policies.FolderAsync(before, token), ModelDevice.Of(run.Device));

        var examples = await ExamplesAsync(iteration, state, config, policy.Tokenizer, token);
        var options = Options(config.Training, config.Seed, number);
        using var trainer = resumed is not null
            ? Trainer.Resume(resumed, policy.Model, reference.Model, examples, options, reference.Tokenizer.VocabularySize)
            : new Trainer(policy.Model, reference.Model, examples, options, reference.Tokenizer.VocabularySize);
        if (resumed is null && number > 1 && config.Training.KeepOptimiser)
        {
            trainer.RestoreOptimiser(await policies.FolderAsync(before, token));
        }

        var loop = new TrainingLoop(artifacts, policies, config.Training.LargestFile);
        var (trained, curve) = await loop.RunAsync(
            name, trainer, policy, options.Steps, config.Training.CheckpointEvery,
            await loop.CurveAsync(state.TrainingCheckpoint?.Steps, token),
            record is null ? null : (folder, steps) => record(new IterationEvent.TrainingCheckpointed(folder, steps, trainer.Step)),
            progress, token);
        var last = curve[^1];
        return new IterationEvent.PolicyTrained(
            trained, policy.Model.WeightsHash(), await artifacts.PutJsonLinesAsync(curve, token), last.Step,
            last.Loss, last.Kl, last.Entropy, curve.Sum(s => (long)s.Tokens), curve.Sum(s => s.Elapsed.TotalSeconds));
    }

    /// <summary>The base model with the feedback's tokens added; its copy, so that the reference stays as it is.</summary>
    private static Policy FirstPolicy(RunConfig config, Policy reference, IReadOnlySet<int> spoken)
    {
        var feedback = config.QuantileFeedback();
        var tokenizer = reference.Tokenizer.AddSpecialTokens(Conditioning.AddedTokens(feedback));
        var model = reference.Model.AddTokens(reference.Tokenizer.VocabularySize, tokenizer.VocabularySize, NewTokens.Normal, config.Seed);
        if (config.Training.TagEmbeddingScale > 0)
        {
            var conditioning = new Conditioning(feedback, tokenizer);
            var unspoken = Enumerable.Range(0, feedback.Tags.Count).SelectMany(conditioning.Of)
                .Distinct().Order().Where(id => !spoken.Contains(id));
            model.RedrawTokens([.. unspoken], [.. spoken.Order()], config.Training.TagEmbeddingScale, config.Seed);
        }

        return new Policy(model, tokenizer);
    }

    /// <summary>The tokens that the base model met in pretraining; all of them where it was given.</summary>
    private async Task<IReadOnlySet<int>> SpokenTokensAsync(RunState run, Policy reference, CancellationToken token) =>
        run.Data!.Text is { } text
            ? await artifacts.ReadJsonLinesAsync<PretrainingText>(text, token)
                .SelectMany(t => reference.Tokenizer.Encode(t.Text).ToAsyncEnumerable()).ToHashSetAsync(cancellationToken: token)
                : Enumerable.Range(0, reference.Tokenizer.VocabularySize).ToHashSet();

    /// <summary>
    /// The selected samples as (feedback, prompt, response), in the order of the record; responses are the tokens as they were drawn.
    /// </summary>
    private async Task<List<TrainingExample>> ExamplesAsync(
        IterationRef iteration, IterationState state, RunConfig config, Tokenizer tokenizer, CancellationToken token)
    {
        var selected = await artifacts.ReadJsonLinesAsync<SelectedSample>(state.Selection!.Batch, token)
            .Where(s => s.Selected).ToDictionaryAsync(s => s.Id, cancellationToken: token);
        var conditioning = new Conditioning(config.QuantileFeedback(), tokenizer);
        var encoder = PromptEncoder.For(tokenizer, config.Prompts);
        var (examples, found) = (new List<TrainingExample>(selected.Count), new List<SampleId>(selected.Count));
        foreach (var number in selected.Keys.Select(id => id.Iteration).Distinct().Order())
        {
            var past = number == iteration.Number ? state : await ledger.IterationAsync(iteration with { Number = number }, token);
            var prompts = await artifacts.ReadJsonLinesAsync<Prompt>(past.Prompts!.Prompts, token)
                .ToDictionaryAsync(p => p.Ordinal, p => encoder.Encode(p.Text), cancellationToken: token);
            foreach (var chunk in past.Chunks(Stage.Sampling))
            {
                var judged = artifacts.ReadJsonLinesAsync<Judgement>(past.Chunk(Stage.Feedback, chunk.Chunk)!.Result, token);
                var own = await judged.Where(j => j.Outcome is FeedbackOutcome.Labelled { Text: not null })
                    .ToDictionaryAsync(j => j.Id, j => ((FeedbackOutcome.Labelled)j.Outcome).Text!, cancellationToken: token);
                await foreach (var sample in artifacts.ReadJsonLinesAsync<Sample>(chunk.Result, token))
                {
                    if (selected.TryGetValue(sample.Id, out var decision))
                    {
                        found.Add(sample.Id);
                        var feedback = own.TryGetValue(sample.Id, out var text)
                            ? conditioning.Of(text)
                            : conditioning.Of(decision.Quantile);
                        var prompt = prompts[sample.Id.Prompt];
                        examples.Add(new TrainingExample([.. feedback], prompt.Tokens, sample.Tokens) { Lead = prompt.Lead });
                    }
                }
            }
        }

        StageSums.Require(Stage.Training, [.. selected.Keys], found);
        return examples;
    }

    private static TrainerOptions Options(TrainingConfig config, long seed, int iteration) => new()
    {
        Seed = seed,
        Iteration = iteration,
        Steps = config.Steps,
        BatchSize = config.BatchSize,
        Accumulation = config.Accumulation,
        LearningRate = config.LearningRate,
        WarmupShare = config.WarmupShare,
        FinalShare = config.FinalShare,
        Beta1 = config.Beta1,
        Beta2 = config.Beta2,
        WeightDecay = config.WeightDecay,
        ClipNorm = config.ClipNorm,
        KlCoefficient = config.KlCoefficient,
        EntropyCoefficient = config.EntropyCoefficient,
        Precision = config.Precision,
        Lora = config.Lora,
        FreezeLayers = config.FreezeLayers,
        GradientCheckpointing = config.GradientCheckpointing,
        LossScale = config.Precision == TrainingPrecision.Float16 ? FirstLossScale : 0,
    };
}
