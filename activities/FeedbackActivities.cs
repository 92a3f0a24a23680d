using System.Diagnostics;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>Trains the classifiers that judge, and collects one outcome for every sample.</summary>
public sealed class FeedbackActivities(Ledger ledger, ArtifactStore artifacts, Classifiers classifiers)
{
    /// <summary>The reward model, and where the config asks for one of its own, the evaluation's judge; both reused if an earlier run made them.</summary>
    [Activity]
    public Task TrainClassifiersAsync(string run) => Heartbeats.DuringAsync("Feedback", "classifiers", async (progress, token) =>
    {
        var state = await ledger.RunAsync(run, token);
        if (state.Reward is null)
        {
            await TrainAsync(run, state, ClassifierRole.Reward, state.Config.RewardModel, token);
        }

        if (state.Judge is null && state.Config.Evaluation.Judge is { } judge)
        {
            progress.Report((1, 2));
            await TrainAsync(run, state, ClassifierRole.Judge, judge, token);
        }
    });

    [Activity]
    public Task CollectAsync(ChunkRef chunk) => Heartbeats.DuringAsync("Feedback", "samples", async (progress, token) =>
    {
        var (name, number) = chunk.Iteration;
        var state = await ledger.IterationAsync(name, number, token);
        if (state.Chunk(Stage.Feedback, chunk.Chunk) is not null)
        {
            return;
        }

        var run = await ledger.RunAsync(name, token);
        var provider = new TextClassifierProvider(await classifiers.LoadAsync(run.Reward!.Model, token));
        var prompts = await chunk.PartOf(artifacts.ReadJsonLinesAsync<Prompt>(state.Prompts!.Prompts, token), run.Config.Sampling.ChunkPrompts)
            .ToDictionaryAsync(p => p.Ordinal, p => p.Text, cancellationToken: token);
        var samples = await artifacts.ReadJsonLinesAsync<Sample>(state.Chunk(Stage.Sampling, chunk.Chunk)!.Result, token).ToArrayAsync(token);
        progress.Report((0, samples.Length));

        var clock = Stopwatch.StartNew();
        var outcomes = await provider.JudgeAsync([.. samples.Select(s => new FeedbackRequest(s.Id, prompts[s.Id.Prompt], s.Text))], token);
        Judgement[] judged = [.. samples.Zip(outcomes, (s, outcome) => new Judgement(s.Id, outcome))];
        var finished = new IterationEvent.ChunkFinished(
            Stage.Feedback, chunk.Chunk, await artifacts.PutJsonLinesAsync(judged, token), judged.Length, 0, clock.Elapsed.TotalSeconds);
        await ledger.RecordAsync(name, number, s => s.Chunk(Stage.Feedback, chunk.Chunk), finished,
            Projections.SetOutcomes(name, [.. judged.Select(j => (j.Id, j.Outcome))]), token);
    });

    [Activity]
    public Task CompleteFeedbackAsync(IterationRef iteration) => Heartbeats.DuringAsync("Feedback", "chunks", async (_, token) =>
    {
        var run = await ledger.RunAsync(iteration.Run, token);
        var state = await ledger.IterationAsync(iteration.Run, iteration.Number, token);
        if (state.Feedback is not null)
        {
            return;
        }

        var chunks = state.Chunks(Stage.Feedback);
        StageSums.Require(Stage.Feedback, chunks, state.Prompts!.Chunks, state.Sampling!.Samples);
        var outcomes = new List<FeedbackOutcome>();
        foreach (var chunk in chunks)
        {
            outcomes.AddRange(await artifacts.ReadJsonLinesAsync<Judgement>(chunk.Result, token).Select(j => j.Outcome).ToArrayAsync(token));
        }

        var provider = new TextClassifierProvider(await classifiers.LoadAsync(run.Reward!.Model, token));
        var rewards = outcomes.OfType<FeedbackOutcome.Labelled>().Select(l => l.Reward).ToArray();
        var collected = new IterationEvent.FeedbackCollected(
            provider.Name,
            provider.Version,
            rewards.Length,
            outcomes.Count(o => o is FeedbackOutcome.Abstained),
            outcomes.Count(o => o is FeedbackOutcome.Unparsed),
            outcomes.Count(o => o is FeedbackOutcome.Failed),
            rewards.DefaultIfEmpty().Average(),
            chunks.Sum(c => c.Seconds));
        await ledger.RecordAsync(iteration.Run, iteration.Number, s => s.Feedback, collected, token: token);
    });

    private async Task TrainAsync(string run, RunState state, ClassifierRole role, ClassifierConfig config, CancellationToken token)
    {
        var labelled = state.Data!.Labelled;
        var inputs = RunInputs.Hash(new { Labelled = labelled.Hash, config.Rows, config.Characters, config.L2 });
        var clock = Stopwatch.StartNew();
        var prepared = await ledger.PreparedAsync(inputs, token);
        var reused = prepared is not null && artifacts.Exists(prepared.Artifact);
        if (!reused)
        {
            var texts = await artifacts.ReadJsonLinesAsync<LabelledText>(labelled, token).Where(t => Takes(config.Rows, t.Row)).ToArrayAsync(token);
            var classifier = TextClassifier.Train(texts, config.Characters, config.L2);
            var artifact = await artifacts.PutAsync(classifier.ToBytes(), ArtifactStore.Bytes, token);
            prepared = new PreparedModel(inputs, artifact, classifier.Hash, texts.Length, 0, 0);
        }

        var trained = new RunEvent.ClassifierTrained(role, prepared!.Artifact, prepared.Hash, reused, prepared.Texts, clock.Elapsed.TotalSeconds);
        await ledger.RecordAsync(run, s => role == ClassifierRole.Reward ? s.Reward : s.Judge, trained, prepared: prepared, token: token);
    }

    private static bool Takes(LabelledRows rows, int row) => rows switch
    {
        LabelledRows.Odd => row % 2 == 1,
        LabelledRows.Even => row % 2 == 0,
        _ => true,
    };
}
