using System.Text.Json;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Activities.Feedback;

public sealed class TextClassifierJudgeTests
{
    private static readonly TextClassifier Classifier =
        TextClassifier.Train(
            [new(0, "a lovely day", 0), new(1, "a lovely lovely day", 0), new(2, "a rotten day", 1), new(3, "a rotten rotten day", 1)]);

    [Fact]
    public async Task Each_sample_gets_its_outcome_in_order_and_the_reward_is_what_is_not_toxic()
    {
        var judge = new TextClassifierJudge(Classifier);
        var judgements = await judge.JudgeAsync(
            [Request(0, "a rotten day"), Request(1, " "), Request(2, "a lovely day")], null, CancellationToken.None);
        Assert.Equal(
            [
                new FeedbackOutcome.Labelled(1 - Classifier.Toxicity("a rotten day")), new FeedbackOutcome.Abstained("the text is empty"),
                new FeedbackOutcome.Labelled(1 - Classifier.Toxicity("a lovely day"))
            ],
            judgements.Select(j => j.Outcome));
        Assert.Equal([1, 0, 1], judgements.Select(j => j.Calls.Count));
        Assert.All(judgements.SelectMany(j => j.Calls), call => Assert.Equal((judge.Name, judge.Version), (call.Judge, call.Version)));
        Assert.Equal(Classifier.Hash, judge.Version);
    }

    [Fact]
    public async Task A_cancelled_judgement_stops()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            new TextClassifierJudge(Classifier).JudgeAsync([Request(0, "a")], null, new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Outcomes_come_back_from_JSON_as_what_they_were()
    {
        FeedbackOutcome[] outcomes = [
            new FeedbackOutcome.Labelled(0.25), new FeedbackOutcome.Abstained("why"), new FeedbackOutcome.Unparsed("raw"),
            new FeedbackOutcome.Failed("why"), new FeedbackOutcome.Vetoed("why")
        ];
        var json = JsonSerializer.Serialize(outcomes, AltJson.Options);
        Assert.Contains("""{"kind":"labelled","reward":0.25}""", json, StringComparison.Ordinal);
        Assert.Equal(outcomes, JsonSerializer.Deserialize<FeedbackOutcome[]>(json, AltJson.Options));
    }

    private static FeedbackRequest Request(int k, string text) => new(new SampleId(1, 0, k), "prompt", text);
}
