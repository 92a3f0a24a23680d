using Alt.Domain;

namespace Alt.Tests.Domain;

public class ForkTests
{
    private static readonly ArtifactRef Artifact = new(new string('a', 64), 1, "application/json");

    private static readonly RunConfig Config = new()
    {
        Iterations = 4,
        Prompts = new() { PerIteration = 10 },
        Evaluation = new() { Prompts = 5 }
    };

    private static readonly RunEvent[] Past =
    [
        new RunEvent.RunStarted("parent", Config, "hash", new Dictionary<string, string>(), DateTimeOffset.UnixEpoch),
        new RunEvent.DataImported(Artifact, 40, Artifact, 5, Artifact, 100, 0, Artifact),
        new RunEvent.ClassifierTrained(ClassifierRole.Reward, Artifact, "r", false, 100, 1),
        new RunEvent.ClassifierTrained(ClassifierRole.Evaluation, Artifact, "j", false, 100, 1),
        new RunEvent.PretrainingCheckpointed(Artifact, Artifact, 1),
        new RunEvent.BaseModelPrepared(Artifact, "b", "i", false, 1, 1, 1),
        new RunEvent.IterationFinished(0, "b"),
        new RunEvent.IterationFinished(1, "p1"),
        new RunEvent.RunPaused(DateTimeOffset.UnixEpoch),
        new RunEvent.RunResumed(DateTimeOffset.UnixEpoch),
        new RunEvent.IterationFinished(2, "p2"),
    ];

    [Theory]
    [InlineData(2, Stage.Prompts)]
    [InlineData(2, Stage.Training, "training.steps")]
    [InlineData(2, Stage.Selection, "training.steps", "selection.perQuantile", "name")]
    [InlineData(2, Stage.Feedback, "rewardModel.l2")]
    [InlineData(2, Stage.Evaluation, "evaluation.topP")]
    [InlineData(2, Stage.Prompts, "iterations")]
    [InlineData(0, Stage.Evaluation, "sampling.topP")]
    public void A_fork_begins_with_the_first_stage_that_a_setting_shows_in(int at, Stage stage, params string[] keys) =>
        Assert.Equal(stage, Fork.FirstStage(Config, Config, keys, at));

    [Theory]
    [InlineData("Lowest Toxicity", 2, Stage.DataPool)]
    [InlineData("Nice", 2, Stage.Sampling)]
    [InlineData("Nice", 1, Stage.DataPool)]
    public void Another_best_tag_shows_where_the_policy_is_given_it(string best, int at, Stage stage) =>
        Assert.Equal(stage, Fork.FirstStage(Config, Config with { Feedback = new() { Tags = [best, "Bad"] } }, ["feedback.tags"], at));

    [Theory]
    [InlineData("a", Stage.Prompts, "sampling.topP")]
    [InlineData("b", Stage.Sampling, "sampling.topP")]
    [InlineData("a", Stage.Feedback, "rewardModel.l2")]
    public void A_fork_that_samples_draws_its_own_prompts_where_one_was_erased(string replaced, Stage stage, string key)
    {
        var erased = new RunEvent.PromptErased(
            7, 3, new Dictionary<string, ArtifactRef> { [new string(replaced[0], 64)] = Artifact }, DateTimeOffset.UnixEpoch);
        var parent = RunState.Fold([.. Past, erased]);

        Assert.Equal(stage, Fork.FirstStage(parent, Config, [key], 2, new IterationEvent.PromptsDrawn(Artifact, 10, 1)));
    }

    [Theory]
    [InlineData(2, "seed", "only a new run can change it")]
    [InlineData(0, "model.layers", "only a new run can change it")]
    [InlineData(2, "feedback.separator", "--at 1")]
    [InlineData(2, "prompts.firstIteration", "--at 1")]
    [InlineData(4, "training.steps", "from 0 to 3")]
    [InlineData(-1, "training.steps", "from 0 to 3")]
    public void What_would_change_the_past_is_refused_with_what_can_be_done(int at, string key, string advice) =>
        Assert.Contains(advice, Assert.Single(Fork.Problems(RunState.Fold(Past), Config, [key], at)), StringComparison.Ordinal);

    [Theory]
    [InlineData(1, "feedback.separator")]
    [InlineData(3, "training.steps")]
    [InlineData(0, "evaluation.topP")]
    [InlineData(3, "feedback.tags")]
    public void What_changes_only_the_future_is_not_refused(int at, string key) =>
        Assert.Empty(Fork.Problems(RunState.Fold(Past), Config, [key], at));

    [Theory]
    [InlineData("feedback.tags")]
    [InlineData("selection.quantiles")]
    public void Special_tags_are_part_of_the_policy_from_its_first_training_on(string key)
    {
        var special = Config with { Feedback = new() { Encoding = TagEncoding.Special } };
        var parent = RunState.Fold([(RunEvent.RunStarted)Past[0] with { Config = special }, .. Past[1..]]);

        Assert.Contains("--at 1", Assert.Single(Fork.Problems(parent, special, [key], 2)), StringComparison.Ordinal);
        Assert.Empty(Fork.Problems(parent, special, [key], 1));
    }

    [Fact]
    public void A_fork_cannot_ask_for_more_than_was_imported()
    {
        var parent = RunState.Fold(Past);

        Assert.Contains(
            "imported 5",
            Assert.Single(Fork.Problems(parent, Config with { Evaluation = new() { Prompts = 6 } }, ["evaluation.prompts"], 1)),
            StringComparison.Ordinal);
        Assert.Contains(
            "imported 40", Assert.Single(Fork.Problems(
                parent, Config with { Prompts = new() { PerIteration = 41 }, Evaluation = Config.Evaluation }, ["prompts.perIteration"],
                1)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Shared_are_what_was_prepared_and_the_iterations_before()
    {
        Assert.Equal([Past[1], Past[2], Past[3], Past[5], Past[6], Past[7]], Fork.Shared(Past, [], 2, Stage.Prompts));
        Assert.DoesNotContain(Past[2], Fork.Shared(Past, ["rewardModel.l2"], 2, Stage.Feedback));
        Assert.DoesNotContain(Past[3], Fork.Shared(Past, ["evaluation.judge.l2"], 2, Stage.Evaluation));
    }

    [Fact]
    public void Labels_by_people_are_shared_with_the_samples_that_they_are_about()
    {
        var labelled = new RunEvent.SamplesLabelled(2, Artifact, 1, "A. Reader", null, default);
        Assert.Contains(labelled, Fork.Shared([labelled], [], 3, Stage.Prompts));
        Assert.Contains(labelled, Fork.Shared([labelled], [], 2, Stage.Feedback));
        Assert.DoesNotContain(labelled, Fork.Shared([labelled], [], 2, Stage.Sampling));
        Assert.DoesNotContain(labelled, Fork.Shared([labelled], [], 1, Stage.Training));
    }

    [Fact]
    public void A_judge_that_uses_its_own_words_gives_the_samples_other_feedback()
    {
        var own = Config with
        {
            Feedback = Config.Feedback with { Judge = new JudgeConfig.LanguageModel { Reply = JudgeReply.Unconstrained } }
        };
        Assert.Equal(Stage.Sampling, Fork.FirstStage(Config, own, ["feedback.judge"], 2));
        Assert.Equal(Stage.Feedback, Fork.FirstStage(Config, own, ["feedback.judge"], 1));
    }

    [Fact]
    public void Limits_that_were_changed_add_up()
    {
        var state = RunState.Fold([
            new RunEvent.RunStarted(
                "run", Config with { Feedback = new() { Budget = new() { Run = 1, Iteration = 2, RunTokens = 3 } } }, "",
                new Dictionary<string, string>(), default),
            new RunEvent.LimitsChanged(10, null, null, null, null, default),
            new RunEvent.LimitsChanged(null, 20, null, 40, .5, default),
        ]);
        Assert.Equal(new BudgetConfig { Run = 10, Iteration = 20, RunTokens = 3, IterationTokens = 40 }, state.Budget);
        Assert.Equal(.5, state.FailureShare);
    }

    [Fact]
    public void Of_an_iteration_the_stages_before_are_shared()
    {
        IterationEvent[] past =
        [
            new IterationEvent.PromptsDrawn(Artifact, 1, 1),
            new IterationEvent.ChunkFinished(Stage.Sampling, 0, Artifact, 1, 1, 1),
            new IterationEvent.ChunkFinished(Stage.Feedback, 0, Artifact, 1, 1, 1),
            new IterationEvent.ChunkFinished(Stage.Evaluation, 0, Artifact, 1, 1, 1),
        ];

        Assert.Equal(past[..2], Fork.Shared(past, Stage.Feedback));
        Assert.Equal(past[..3], Fork.Shared(past, Stage.Evaluation));
    }
}
