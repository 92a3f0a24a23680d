using Alt.Domain;

namespace Alt.Tests.Domain;

public class JudgeConfigTests
{
    private static readonly JudgeConfig.LanguageModel Judge = new() { Endpoint = "https://api.example.org/v1", Model = "judge" };
    private static readonly FeedbackConfig Categories = new() { Tags = JudgeReplies.HelpfulAndHarmless, Judge = Judge };

    [Fact]
    public void A_judge_that_can_work_has_no_problems() => Assert.Empty(Problems(Categories));

    [Fact]
    public void A_key_in_the_config_is_refused_without_repeating_it()
    {
        var problem = Assert.Single(Problems(Categories with { Judge = Judge with { ApiKey = "sk-1234" } }));
        Assert.Contains("must not stand in a config", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-1234", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_work_is_said_with_its_key()
    {
        Says("feedback.judge.model is missing", Categories with { Judge = Judge with { Model = "" } });
        Says("feedback.judge.template is missing", Categories with { Judge = Judge with { Categories = ["a", "b", "c", "d"] } });
        Says("feedback.tags holds 2 tags, expected one for each of the judge's 4 categories", Categories with { Tags = ["good", "bad"] });
        Says("feedback.budget limits money", Categories with { Budget = new() { Run = 1 } });
        Says("feedback.judge.calls: expected concurrency", Categories with { Judge = Judge with { Calls = new() { Concurrency = 0 } } });
        Says("feedback.judge.classifier.apiKey must say where", Categories with
        {
            Judge = new JudgeConfig.R3 { Endpoint = "http://localhost/v1", Classifier = Judge with { ApiKey = "sk-1" } }
        });
        Says(
            "feedback.judge.endpoint: expected a base address without user",
            Categories with { Judge = Judge with { Endpoint = "https://user:secret@api.example.org/v1" } });
        Says("feedback.judge.batch is 0", Categories with { Judge = new JudgeConfig.Scorer { Endpoint = "http://localhost", Batch = 0 } });
        Says("feedback.failureShare is 2", Categories with { FailureShare = 2 });
        Says(
            "selection.ranking is category, which needs a judge that gives categories",
            Categories with { Judge = new JudgeConfig.RewardModel() });
        Says(
            "feedback.judge.list[0].matches is '('",
            Categories with { Judge = new JudgeConfig.Rules { List = [new FeedbackRule { Matches = "(" }] } });
        Says("feedback.judge.folder is missing", Categories with { Judge = new JudgeConfig.Checkpoint() });
        Says(
            "feedback.judge.maxLength is 3, expected 0 (the model's own) or at least 6",
            Categories with { Judge = new JudgeConfig.Checkpoint { Folder = "f", MaxLength = 3 } });
        Says("feedback.judge.batchSize is 0", Categories with { Judge = new JudgeConfig.Checkpoint { Folder = "f", BatchSize = 0 } });
        Says("feedback.judge.endpoint: expected a base address", Categories with { Judge = new JudgeConfig.R3() });
        Says(
            "feedback.judge has an endpoint and an encoder",
            Categories with { Judge = new JudgeConfig.R3 { Endpoint = "http://localhost", Encoder = "f" } });
        Says("feedback.judge.members has 1", Categories with { Judge = new JudgeConfig.Ensemble { Members = [new()] } });
        Says(
            "people and ensembles cannot be members",
            Categories with { Judge = new JudgeConfig.Ensemble { Members = [new(), new() { Judge = new JudgeConfig.Human() }] } });
        Says(
            "feedback in free words needs selection.ranking category",
            Categories with { Judge = Judge with { Reply = JudgeReply.Unconstrained }, Encoding = TagEncoding.Special });
    }

    [Fact]
    public void An_encoder_on_this_machine_needs_no_address_quota_or_price() => Assert.Empty(
        new RunConfig
        {
            Data = new() { Grammar = "grammar.yaml" },
            Feedback = new() { Budget = new() { Run = 1 }, Judge = new JudgeConfig.R3 { Encoder = "contriever" } }
        }.Problems());

    [Fact]
    public void A_judges_folders_are_told_with_their_keys()
    {
        var ensemble = new JudgeConfig.Ensemble
        {
            Members = [
                new(), new() { Judge = new JudgeConfig.Checkpoint { Folder = "reward" } },
                new() { Judge = new JudgeConfig.R3 { Encoder = "contriever" } }
            ],
        };
        Assert.Equal([("p.members[1].judge.folder", "reward"), ("p.members[2].judge.encoder", "contriever")], ensemble.Folders("p"));
    }

    [Theory]
    [InlineData("Well said.", true)]
    [InlineData("badly said", true)]
    [InlineData("ok", false)]
    [InlineData("   ok   ", false)]
    [InlineData("This is far too long for the rule.", false)]
    public void A_rule_holds_where_all_its_conditions_do(string text, bool holds) =>
        Assert.Equal(holds, new FeedbackRule { MinLength = 3, MaxLength = 12, Matches = "(?i)said|well|ok" }.Holds(text));

    [Fact]
    public void A_label_by_a_person_is_a_reward_a_tag_or_a_veto()
    {
        var id = new SampleId(1, 2, 3);
        var run = new RunConfig { Feedback = new() { Tags = ["Good", "So so", "Bad"] } };
        Assert.Equal(new FeedbackOutcome.Labelled(.3), new HumanLabel(id, .3, Text: " ").ToOutcome(run));
        Assert.Equal(new FeedbackOutcome.Labelled(.5) { Category = 1 }, new HumanLabel(id, Tag: "so SO").ToOutcome(run));
        Assert.Equal(
            new FeedbackOutcome.Labelled(.9) { Category = 0, Text = "Clear." }, new HumanLabel(id, .9, "Good", "Clear.").ToOutcome(run));
        Assert.Equal(new FeedbackOutcome.Vetoed("private data"), new HumanLabel(id, Text: "private data", Veto: true).ToOutcome(run));
        foreach (var nothing in new[] { new HumanLabel(id), new HumanLabel(id, Tag: "Great"), new HumanLabel(id, double.NaN) })
        {
            Assert.Contains(
                "label of 1/2/3", Assert.Throws<InputException>(() => nothing.ToOutcome(run)).Message, StringComparison.Ordinal);
        }

        // Errors that would otherwise show later, when they cannot be fixed.
        Assert.Contains(
            "needs one of the run's tags", Assert.Throws<InputException>(() =>
                new HumanLabel(id, .3).ToOutcome(run with { Selection = new() { Ranking = Ranking.Category } })).Message,
            StringComparison.Ordinal);
        var special = run with { Feedback = run.Feedback with { Encoding = TagEncoding.Special } };
        Assert.Contains(
            "feedback.encoding text",
            Assert.Throws<InputException>(() => new HumanLabel(id, .3, Text: "Clear.").ToOutcome(special)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_quarantine_that_is_too_full_is_told_by_kind()
    {
        FeedbackOutcome[] outcomes = [
            .. Enumerable.Repeat(new FeedbackOutcome.Labelled(1), 7), new FeedbackOutcome.Failed("Timeout: 60 s"),
            new FeedbackOutcome.Failed("Timeout: 60 s"), new FeedbackOutcome.Unparsed("?")
        ];
        Assert.Null(Quarantine.Hold(1, outcomes, .3));
        Assert.StartsWith(
            "iteration 1: 3 of 10 samples have no label (2 Timeout, 1 unreadable replies)", Quarantine.Hold(1, outcomes, .2)!.Reason,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Exemplars_are_the_best_words_and_the_same_for_the_same_key()
    {
        FeedbackOutcome[] outcomes = [
            Said("b", 0), Said("a", 0), Said("b", 0), Said("c", 1), new FeedbackOutcome.Labelled(1) { Category = 0 }
        ];
        var best = Exemplars.Best(outcomes);
        Assert.Equal(["a", "b"], best);
        Assert.Equal(
            ["a", "b"],
            Enumerable.Range(0, 50).Select(p => Exemplars.Of(best, new RandomKey(1, 2, Stage.Sampling, p, -1), "none")).Distinct().Order());
        Assert.Equal("none", Exemplars.Of([], new RandomKey(1, 2, Stage.Sampling), "none"));

        static FeedbackOutcome Said(string text, int category) => new FeedbackOutcome.Labelled(1) { Category = category, Text = text };
    }

    private static void Says(string expected, FeedbackConfig feedback) =>
        Assert.Contains(expected, string.Join("; ", Problems(feedback)), StringComparison.Ordinal);

    private static IEnumerable<string> Problems(FeedbackConfig feedback) =>
        new RunConfig
        {
            Data = new() { Grammar = "grammar.yaml" },
            Feedback = feedback,
            Selection = new() { Ranking = Ranking.Category }
        }.Problems();
}
