using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;
using Alt.Infra.Calls;
using Alt.Rehearsal;
using Alt.Tests.Infra.Calls;

namespace Alt.Tests.Activities.Feedback;

/// <summary>Every remote judge against the rehearsal's services over HTTP, through the real pipeline.</summary>
public sealed class RemoteJudgeTests : CallsTest
{
    private const string Kind = "Thank you, that is a good question.", Unkind = "What a stupid thing to ask.";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_language_model_names_a_category(bool structured)
    {
        await using var server = await RehearsalServer.StartAsync(new());
        var judged = await JudgeAsync(Model(server) with { Structured = structured }, Kind, Unkind, " ");

        var labels = judged.Take(2).Select(j => Assert.IsType<FeedbackOutcome.Labelled>(j.Outcome)).ToArray();
        Assert.Equal(3, labels[1].Category);
        Assert.Equal(0, labels[1].Reward);
        Assert.All(labels, l => Assert.Equal(Rewards.OfCategory(l.Category!.Value, 4), l.Reward));
        Assert.IsType<FeedbackOutcome.Abstained>(judged[2].Outcome);
        var call = Assert.Single(judged[1].Calls);
        Assert.Contains("Harmful", call.Reply, StringComparison.Ordinal);
        Assert.True(call.InputTokens > 100 && call.OutputTokens > 0 && call.Cost > 0 && call.At is not null);
        Assert.Equal(2, server.Counts.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_language_model_gives_feedback_in_its_own_words(bool structured)
    {
        await using var server = await RehearsalServer.StartAsync(new());
        var judged = await JudgeAsync(Model(server) with { Reply = JudgeReply.Unconstrained, Structured = structured }, Kind, Unkind);

        var worst = Assert.IsType<FeedbackOutcome.Labelled>(judged[1].Outcome);
        Assert.Equal((3, 0.0, "Unclear, and misses the point."), (worst.Category, worst.Reward, worst.Text));
        Assert.All(judged, j => Assert.Single(j.Calls));
    }

    [Theory]
    [InlineData("malformed", JudgeReply.Category)]
    [InlineData("wrong-language", JudgeReply.Category)]
    [InlineData("contradictory", JudgeReply.Category)]
    [InlineData("malformed", JudgeReply.Unconstrained)]
    [InlineData("contradictory", JudgeReply.Unconstrained)]
    public async Task What_cannot_be_read_is_kept_as_it_came(string fault, JudgeReply reply)
    {
        await using var server = await RehearsalServer.StartAsync(new() { Faults = Faults.Parse([$"{fault}=1"], 0) });
        var judged = Assert.Single(await JudgeAsync(Model(server) with { Reply = reply }, Unkind));
        var unparsed = Assert.IsType<FeedbackOutcome.Unparsed>(judged.Outcome);
        Assert.Equal(Assert.Single(judged.Calls).Reply, unparsed.Raw);
        Assert.NotEmpty(unparsed.Raw);
    }

    [Fact]
    public async Task The_version_of_a_judge_changes_with_everything_that_its_reply_depends_on()
    {
        await using var server = await RehearsalServer.StartAsync(new());
        var model = Model(server);
        JudgeConfig.LanguageModel[] judges =
        [
            model, model with { Temperature = 1 }, model with { MaxTokens = 9 }, model with { Structured = true },
            model with { Model = "other" }, model with { Reply = JudgeReply.Unconstrained },
            model with { Template = "=== user\n{prompt} {response}\n" }, model with { Categories = ["a", "b"] },
        ];
        var versions = await Task.WhenAll(judges.Select(async j => (await OpenAsync(j)).Version));
        Assert.Equal(judges.Length, versions.Distinct().Count());
        Assert.Equal(versions[0], (await OpenAsync(model with { Calls = new() { Concurrency = 3 } })).Version);
    }

    [Fact]
    public async Task Perspective_scores_each_comment_and_one_that_fails_fails_alone()
    {
        await using var server = await RehearsalServer.StartAsync(new() { Faults = Faults.Parse(["500=.3"], 1) });
        var perspective = new JudgeConfig.Perspective { Endpoint = server.Address, Calls = new() { Attempts = 1 } };
        var judged = await JudgeAsync(perspective, [.. Enumerable.Range(0, 40).Select(i => $"{(i % 2 == 0 ? Kind : Unkind)} {i}")]);

        Assert.Contains(judged, j =>
            j.Outcome is FeedbackOutcome.Failed(var reason) && reason.StartsWith("ServerError", StringComparison.Ordinal));
        var unkind = judged.Where((j, i) => i % 2 == 1 && j.Outcome is FeedbackOutcome.Labelled).ToArray();
        Assert.NotEmpty(unkind);
        Assert.All(unkind, j => Assert.Equal(0, ((FeedbackOutcome.Labelled)j.Outcome).Reward));
        Assert.Equal(40, server.Counts.Requests);
    }

    [Fact]
    public async Task A_scorer_is_asked_in_batches_and_pays_once_for_each()
    {
        await using var server = await RehearsalServer.StartAsync(new());
        var scorer = new JudgeConfig.Scorer { Endpoint = server.Address, Batch = 4 };
        var judged = await JudgeAsync(scorer, [.. Enumerable.Range(0, 10).Select(i => $"{(i == 6 ? Unkind : Kind)} {i}")]);

        Assert.Equal(3, server.Counts.Requests);
        Assert.Equal(3, judged.SelectMany(j => j.Calls).Sum(c => c.Attempts));
        Assert.Equal([6], judged.Index().Where(j => ((FeedbackOutcome.Labelled)j.Item.Outcome).Reward == 0).Select(j => j.Index));
    }

    [Fact]
    public async Task R3_takes_relevance_from_the_embeddings_and_counts_the_rest_itself()
    {
        await using var server = await RehearsalServer.StartAsync(new());
        var r3 = new JudgeConfig.R3 { Endpoint = $"{server.Address}/v1" };
        var judge = await OpenAsync(r3);
        FeedbackRequest open = new(new SampleId(1, 0, 0), "red green blue", "red green blue"), closed = open with
        {
            Id = new SampleId(1, 1, 0),
            Reference = "red green blue"
        };
        var judged = await judge.JudgeAsync([open, closed], null, CancellationToken.None);

        // The same words: a dot product of 1. Three words, one trigram.
        Assert.Equal(.03, ((FeedbackOutcome.Labelled)judged[0].Outcome).Reward, 6);
        Assert.Equal(5.12 / 3.5, ((FeedbackOutcome.Labelled)judged[1].Outcome).Reward, 6);

        var classified = await (await OpenAsync(r3 with { Classifier = Model(server) }))
            .JudgeAsync([open, open with { Id = new SampleId(1, 0, 1), Text = "red" }], null, CancellationToken.None);
        Assert.Equal([2, 1], classified.Select(j => j.Calls.Count));
    }

    [Fact]
    public async Task A_call_beyond_the_budget_holds_the_run_and_names_the_limit()
    {
        await using var server = await RehearsalServer.StartAsync(new());
        var judge = await OpenAsync(Model(server), new BudgetConfig { Run = .000001m });
        var held = await Assert.ThrowsAsync<HoldException>(() => judge.JudgeAsync([Request(0, Kind)], null, CancellationToken.None));
        Assert.Equal(HoldKind.RunBudget, held.Hold.Kind);
        Assert.Contains("run 'run'", held.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Counts.Requests);
    }

    [Fact]
    public async Task A_veto_of_a_guard_spares_the_judges_behind_it()
    {
        await using var server = await RehearsalServer.StartAsync(new());
        var guard = new JudgeConfig.Rules { List = [new FeedbackRule { Matches = "stupid", Veto = true }], Otherwise = 0 };
        var judged = await JudgeAsync(
            new JudgeConfig.Ensemble { Members = [new() { Weight = 0, Judge = guard }, new() { Judge = Model(server) }] }, Kind, Unkind);

        Assert.IsType<FeedbackOutcome.Labelled>(judged[0].Outcome);
        Assert.Equal(new FeedbackOutcome.Vetoed("rule 0"), judged[1].Outcome);
        Assert.Equal(1, server.Counts.Requests);
    }

    [Fact]
    public async Task A_judge_is_checked_against_known_labels_and_itself()
    {
        await using var server = await RehearsalServer.StartAsync(new());
        var config = new RunConfig
        {
            Selection = new() { Ranking = Ranking.Category },
            Feedback = new() { Tags = JudgeReplies.HelpfulAndHarmless, Judge = Model(server) }
        };
        var result = await new JudgeCheck(Judges(), () => throw new InvalidOperationException())
            .RunAsync(config, [new("q", Unkind, 3), new("q", $"{Unkind} Yes.", 0)], 3, CancellationToken.None);

        Assert.Equal(.5, result.Agreement.Agreement);
        Assert.Equal((1.0, 0.0), (result.Agreement.Consistency, result.Agreement.Contradictions));
        Assert.Equal(6, result.Calls);
        Assert.Equal(6, server.Counts.Requests);
    }

    private static JudgeConfig.LanguageModel Model(RehearsalServer server) =>
        new() { Endpoint = $"{server.Address}/v1", Model = "judge", Calls = new() { InputPrice = 1, OutputPrice = 2 } };

    private async Task<IReadOnlyList<Judgement>> JudgeAsync(JudgeConfig config, params string[] texts) =>
        await (await OpenAsync(config)).JudgeAsync([.. texts.Select((t, k) => Request(k, t))], null, CancellationToken.None);

    private Task<IJudge> OpenAsync(JudgeConfig config, BudgetConfig? budget = null) =>
        Judges().OpenAsync(config, new JudgeUse(new CallScope("run", 1, budget ?? new()), () =>
            throw new InvalidOperationException("No reward model is asked for here.")));

    private Judges Judges() => new(new Classifiers(new ArtifactStore(Path.GetTempPath())), new Checkpoints(), Calls);

    private static FeedbackRequest Request(int k, string text) => new(new SampleId(1, 0, k), "How are you?", text);
}
