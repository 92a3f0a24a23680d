using System.Diagnostics;
using Alt.Activities.Model;
using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Trains the base model once and the policy in every iteration; both go on from their last recorded checkpoint.</summary>
public sealed class TrainingActivities(Ledger ledger, ArtifactStore artifacts, Policies policies)
{
    /// <summary>The base model p0: the given checkpoint, the one that an earlier run made of the same inputs, or a new one.</summary>
    [Activity]
    public Task PretrainAsync(string run) => Heartbeats.DuringAsync("Training", "steps", async (progress, token) =>
    {
        var state = await ledger.RunAsync(run, token);
        if (state.Base is not null)
        {
            return;
        }

        if (state.Config.Model.Checkpoint is { } folder)
        {
            using var given = Policy.Load(folder);
            var artifact = await artifacts.PutFolderAsync(folder, token);
            var prepared = new RunEvent.BaseModelPrepared(artifact, given.Model.WeightsHash(), artifact.Hash, true, 0, 0, 0);
            await ledger.RecordAsync(run, s => s.Base, prepared, token: token);
            return;
        }

        var inputs = RunInputs.Hash(new { Text = state.Data!.Text!.Hash, state.Config.Model, state.Config.Data.LabelledShare, state.Config.Feedback.Tags, state.Config.Seed });
        if (await ledger.PreparedAsync(inputs, token) is { } known && artifacts.Exists(known.Artifact))
        {
            await ledger.RecordAsync(run, s => s.Base, new RunEvent.BaseModelPrepared(known.Artifact, known.Hash, inputs, true, known.Tokens, known.Loss, 0), token: token);
            return;
        }

        var made = await PretrainAsync(run, state, inputs, progress, token);
        var model = new PreparedModel(inputs, made.Checkpoint, made.WeightsHash, 0, made.Tokens, made.Loss);
        await ledger.RecordAsync(run, s => s.Base, made, prepared: model, token: token);
    });

    /// <summary>One iteration's conditional fine-tuning on the selected samples.</summary>
    [Activity]
    public Task TrainAsync(IterationRef iteration) => Heartbeats.DuringAsync("Training", "steps", async (progress, token) =>
    {
        var (name, number) = iteration;
        var run = await ledger.RunAsync(name, token);
        var state = await ledger.IterationAsync(name, number, token);
        if (state.Training is not null)
        {
            return;
        }

        var config = run.Config;
        var reference = await policies.LoadAsync(run.Base!.Checkpoint, token);
        var (before, _) = await PolicyTrail.AfterAsync(ledger, name, number - 1, token);
        var resumed = state.TrainingCheckpoint is { } checkpoint ? await policies.FolderAsync(checkpoint.Checkpoint, token) : null;
        using var policy = resumed is not null ? Policy.Load(resumed)
            : number == 1 ? FirstPolicy(config, reference, await SpokenTokensAsync(run, reference, token))
            : Policy.Load(await policies.FolderAsync(before, token));

        var examples = await ExamplesAsync(iteration, state, config, policy.Tokenizer, token);
        var options = Options(config.Training, config.Seed, number);
        using var trainer = resumed is not null
            ? Trainer.Resume(resumed, policy.Model, reference.Model, examples, options)
            : new Trainer(policy.Model, reference.Model, examples, options);
        if (resumed is null && number > 1 && config.Training.KeepOptimiser)
        {
            trainer.RestoreOptimiser(await policies.FolderAsync(before, token));
        }

        var (trained, curve) = await TrainAsync(
            trainer, policy, options.Steps, config.Training.CheckpointEvery, await CurveAsync(state.TrainingCheckpoint?.Steps, token),
            (folder, steps) => ledger.RecordAsync(
                name, number, s => s.TrainingCheckpoint?.Step >= trainer.Step ? s.TrainingCheckpoint : null,
                new IterationEvent.TrainingCheckpointed(folder, steps, trainer.Step), token: token),
            progress, token);
        var last = curve[^1];
        var finished = new IterationEvent.PolicyTrained(
            trained, policy.Model.WeightsHash(), await artifacts.PutJsonLinesAsync(curve, token), last.Step,
            last.Loss, last.Kl, last.Entropy, curve.Sum(s => (long)s.Tokens), curve.Sum(s => s.Elapsed.TotalSeconds));
        await ledger.RecordAsync(name, number, s => s.Training, finished, token: token);
    });

    private async Task<RunEvent.BaseModelPrepared> PretrainAsync(string run, RunState state, string inputs, IProgress<(long, long)> progress, CancellationToken token)
    {
        var config = state.Config;
        var texts = await artifacts.ReadJsonLinesAsync<PretrainingText>(state.Data!.Text!, token).ToArrayAsync(token);
        var resumed = state.PretrainingCheckpoint is { } checkpoint ? await policies.FolderAsync(checkpoint.Checkpoint, token) : null;
        using var policy = resumed is not null ? Policy.Load(resumed) : Pretraining.New(config, texts);

        var examples = Pretraining.Examples(texts, policy.Tokenizer, config);
        var settings = config.Model.Pretraining;
        var options = new TrainerOptions
        {
            Seed = config.Seed,
            Steps = settings.Steps,
            BatchSize = settings.BatchSize,
            LearningRate = settings.LearningRate,
            WarmupShare = settings.WarmupShare,
            Beta2 = settings.Beta2,
            WeightDecay = settings.WeightDecay,
            ClipNorm = settings.ClipNorm,
        };
        using var trainer = resumed is not null
            ? Trainer.Resume(resumed, policy.Model, null, examples, options)
            : new Trainer(policy.Model, null, examples, options);

        var (trained, curve) = await TrainAsync(
            trainer, policy, options.Steps, settings.CheckpointEvery, await CurveAsync(state.PretrainingCheckpoint?.Steps, token),
            (folder, steps) => ledger.RecordAsync(
                run, s => s.PretrainingCheckpoint?.Step >= trainer.Step ? s.PretrainingCheckpoint : null,
                new RunEvent.PretrainingCheckpointed(folder, steps, trainer.Step), token: token),
            progress, token);
        return new RunEvent.BaseModelPrepared(
            trained, policy.Model.WeightsHash(), inputs, false,
            curve.Sum(s => (long)s.Tokens), curve.TakeLast(20).Average(s => s.Loss), curve.Sum(s => s.Elapsed.TotalSeconds));
    }

    /// <summary>Runs a trainer to its end; <paramref name="record"/> gets the checkpoint and the curve so far every so many steps.</summary>
    private async Task<(ArtifactRef Checkpoint, IReadOnlyList<StepMetrics> Curve)> TrainAsync(
        Trainer trainer, Policy policy, int steps, int checkpointEvery, List<StepMetrics> curve, Func<ArtifactRef, ArtifactRef, Task> record,
        IProgress<(long, long)> progress, CancellationToken token)
    {
        while (trainer.Step < steps)
        {
            token.ThrowIfCancellationRequested();
            curve.Add(trainer.TakeStep());
            progress.Report((trainer.Step, steps));
            if (trainer.Step % checkpointEvery == 0 && trainer.Step < steps)
            {
                await record(await SaveAsync(trainer, policy, token), await artifacts.PutJsonLinesAsync(curve, token));
            }
        }

        return (await SaveAsync(trainer, policy, token), curve);
    }

    private async Task<ArtifactRef> SaveAsync(Trainer trainer, Policy policy, CancellationToken token)
    {
        var folder = policies.NewFolder();
        try
        {
            trainer.Save(folder);
            policy.Tokenizer.Save(folder);
            return await artifacts.PutFolderAsync(folder, token);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<List<StepMetrics>> CurveAsync(ArtifactRef? steps, CancellationToken token) =>
        steps is null ? [] : await artifacts.ReadJsonLinesAsync<StepMetrics>(steps, token).ToListAsync(token);

    /// <summary>The base model with the feedback's tokens added; its copy, so that the reference stays as it is.</summary>
    private static Policy FirstPolicy(RunConfig config, Policy reference, IReadOnlySet<int> spoken)
    {
        var tokenizer = reference.Tokenizer.AddSpecialTokens(Conditioning.AddedTokens(config.Feedback));
        var model = reference.Model.ResizeVocabulary(tokenizer.VocabularySize, NewTokens.Normal, config.Seed);
        if (config.Training.TagEmbeddingScale > 0)
        {
            var conditioning = new Conditioning(config.Feedback, tokenizer);
            var unspoken = Enumerable.Range(0, config.Feedback.Tags.Count).SelectMany(conditioning.Of).Distinct().Order().Where(id => !spoken.Contains(id));
            model.RedrawTokens([.. unspoken], [.. spoken.Order()], config.Training.TagEmbeddingScale, config.Seed);
        }

        return new Policy(model, tokenizer);
    }

    /// <summary>The tokens that the base model met in pretraining; all of them where it was given.</summary>
    private async Task<IReadOnlySet<int>> SpokenTokensAsync(RunState run, Policy reference, CancellationToken token) =>
        run.Data!.Text is { } text
            ? await artifacts.ReadJsonLinesAsync<PretrainingText>(text, token).SelectMany(t => reference.Tokenizer.Encode(t.Text).ToAsyncEnumerable()).ToHashSetAsync(cancellationToken: token)
            : Enumerable.Range(0, reference.Model.Config.Vocabulary).ToHashSet();

    /// <summary>The selected samples as (feedback, prompt, response), in the order of the record; responses are the tokens as they were drawn.</summary>
    private async Task<List<TrainingExample>> ExamplesAsync(IterationRef iteration, IterationState state, RunConfig config, Tokenizer tokenizer, CancellationToken token)
    {
        var quantiles = await artifacts.ReadJsonLinesAsync<SelectedSample>(state.Selection!.Batch, token)
            .Where(s => s.Selected).ToDictionaryAsync(s => s.Id, s => s.Quantile, cancellationToken: token);
        var conditioning = new Conditioning(config.Feedback, tokenizer);
        var examples = new List<TrainingExample>(quantiles.Count);
        foreach (var number in quantiles.Keys.Select(id => id.Iteration).Distinct().Order())
        {
            var past = number == iteration.Number ? state : await ledger.IterationAsync(iteration.Run, number, token);
            var prompts = await artifacts.ReadJsonLinesAsync<Prompt>(past.Prompts!.Prompts, token).ToDictionaryAsync(p => p.Ordinal, p => tokenizer.Encode(p.Text), cancellationToken: token);
            foreach (var chunk in past.Chunks(Stage.Sampling))
            {
                await foreach (var sample in artifacts.ReadJsonLinesAsync<Sample>(chunk.Result, token))
                {
                    if (quantiles.TryGetValue(sample.Id, out var quantile))
                    {
                        examples.Add(new TrainingExample([.. conditioning.Of(quantile)], prompts[sample.Id.Prompt], sample.Tokens));
                    }
                }
            }
        }

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
    };
}
