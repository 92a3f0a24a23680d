using Alt.Activities;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;
using Alt.Rehearsal;
using Alt.Tests.Infra.Audits;
using Alt.Tests.Infra.Calls;
using Temporalio.Testing;

namespace Alt.Tests.Activities.Feedback;

/// <summary>Labels that people give after a chunk was judged let its samples in quarantine be judged again when the feedback ends.</summary>
public sealed class CompleteFeedbackTests : CallsTest
{
    private const string Run = "completed";

    private static readonly IterationRef Iteration = new(Run, 1);
    private static readonly SampleId Labelled = new(1, 0, 0), InQuarantine = new(1, 0, 1);

    [Fact]
    public async Task A_run_whose_budget_is_spent_is_held_and_completes_once_there_is_more()
    {
        await using var server = await RehearsalServer.StartAsync(new());
        await using var record = await SmallRun.OpenAsync(Database);
        await RecordJudgedChunkAsync(record, server);
        var activities = new FeedbackActivities(
            record.Ledger, record.Artifacts, new Judges(new Classifiers(record.Artifacts), new Checkpoints(), Calls));

        var hold = await CompleteAsync();

        Assert.Equal(HoldKind.RunBudget, hold?.Kind);
        Assert.Equal(0, server.Counts.Requests);
        Assert.Null((await record.Ledger.IterationAsync(Iteration)).Feedback);

        await record.Ledger.RecordAsync(
            Run, _ => null, new RunEvent.LimitsChanged(1, null, null, null, null, DateTimeOffset.UnixEpoch));

        Assert.Null(await CompleteAsync());
        Assert.Equal(1, server.Counts.Requests);
        var sums = (await record.Ledger.IterationAsync(Iteration)).Feedback!;
        Assert.Equal((2, 0), (sums.Labelled, sums.Failed));

        Task<Hold?> CompleteAsync() => new ActivityEnvironment().RunAsync(() => activities.CompleteFeedbackAsync(Iteration));
    }

    /// <summary>One prompt with two samples in one chunk: the judge failed on both, then a user labelled one of them.</summary>
    private static async Task RecordJudgedChunkAsync(SmallRun record, RehearsalServer server)
    {
        var config = new RunConfig
        {
            Iterations = 1,
            Data = new() { Grammar = "none.yaml" },
            Prompts = new() { PerIteration = 1 },
            Sampling = new() { Generations = 2, ChunkPrompts = 1 },
            Feedback = new()
            {
                Judge = new JudgeConfig.LanguageModel
                {
                    Endpoint = $"{server.Address}/v1",
                    Model = "judge",
                    Calls = new() { InputPrice = 1, OutputPrice = 2 }
                },
                Budget = new() { Run = .000001m },
            },
        };
        var (ledger, artifacts) = (record.Ledger, record.Artifacts);
        var prompts = await artifacts.PutJsonLinesAsync([new Prompt(0, "How are you?")]);
        await RecordAsync(new RunEvent.RunStarted(
            Run, config, AltJson.Hash(config), new Dictionary<string, string>(), DateTimeOffset.UnixEpoch));
        await RecordAsync(new RunEvent.DataImported(prompts, 1, prompts, 1, prompts, 0, 0, null));
        await RecordAsync(new RunEvent.BaseModelPrepared(prompts, "weights", "inputs", false, 0, 0, 0));
        await RecordInAsync(new IterationEvent.PromptsDrawn(prompts, 1, 1));
        var samples = await artifacts.PutJsonLinesAsync(new[] { Labelled, InQuarantine }.Select(id =>
            new Sample(id, "Thank you, well.", [1, 2, 3], new float[3], FinishReason.Stop)));
        await RecordInAsync(new IterationEvent.ChunkFinished(Stage.Sampling, 0, samples, 2, 6, 1));
        await RecordInAsync(new IterationEvent.GenerationsSampled("weights", config.ConditioningOf(1), 2, 0, 6, 1));
        var judged = await artifacts.PutJsonLinesAsync(new[] { Labelled, InQuarantine }.Select(id =>
            new Judgement(id, new FeedbackOutcome.Failed("Connection: refused"))));
        await RecordInAsync(new IterationEvent.ChunkFinished(Stage.Feedback, 0, judged, 2, 0, 1));
        await new Labelling(ledger, artifacts).RecordAsync(
            Run, new GivenLabels([new HumanLabel(Labelled, Reward: .5)], "A. Reader"), CancellationToken.None);

        Task RecordAsync<T>(T @event)
            where T : RunEvent => ledger.RecordAsync<T>(Run, _ => null, @event);

        Task RecordInAsync<T>(T @event)
            where T : IterationEvent => ledger.RecordAsync<T>(Iteration, _ => null, @event);
    }
}
