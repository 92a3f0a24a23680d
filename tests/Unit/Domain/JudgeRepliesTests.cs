using Alt.Domain;

namespace Alt.Tests.Domain;

public class JudgeRepliesTests
{
    [Theory]
    [InlineData("Harmless and very helpful", 0)]
    [InlineData("Harmless and very helpful.", 0)]
    [InlineData("  harmless and helpful \n", 1)]
    [InlineData("Feedback: Harmless and not helpful.", 2)]
    [InlineData("**Harmful**", 3)]
    [InlineData("\"Harmful.\"", 3)]
    [InlineData("**Feedback:** HARMFUL!", 3)]
    [InlineData("Harmless", null)]
    [InlineData("Harmless and helpful, or maybe harmful", null)]
    [InlineData("The answer is harmless and helpful", null)]
    [InlineData("Schädlich", null)]
    [InlineData("", null)]
    public void A_category_is_read_whatever_its_case_and_dress(string reply, int? category) =>
        Assert.Equal(category, JudgeReplies.Category(reply, JudgeReplies.HelpfulAndHarmless));

    [Theory]
    [InlineData("Score: 3", 3)]
    [InlineData("Score: 3.", 3)]
    [InlineData("Score: 2.5", 2)]
    [InlineData("Score: 3/3", 3)]
    [InlineData("Score: 2 out of 3", 2)]
    [InlineData("Score: 3.0.", 3)]
    [InlineData("Score:3", 3)]
    [InlineData("score: 0", 0)]
    [InlineData("**Score:** 1", 1)]
    [InlineData("**Score**: 1", 1)]
    [InlineData("Score: **1**", 1)]
    [InlineData("Score: <2>", 2)]
    [InlineData("3. Score: 2", 2)]
    [InlineData("Score: 2\n\nScore: 2", 2)]
    [InlineData("Score: three", null)]
    [InlineData("Score: 9", null)]
    [InlineData("Score: 3.5", null)]
    [InlineData("Score: 8/10", null)]
    [InlineData("Score: -1", null)]
    [InlineData("Overall Score: 2", null)]
    [InlineData("Score: 2\nScore: 3", null)]
    [InlineData("", null)]
    public void A_score_of_0_to_3_is_read_in_every_shape_that_judges_write(string line, int? score) =>
        Assert.Equal(score, JudgeReplies.Unconstrained(
            $"Analysis: The summary names the Score of the game.\nFeedback: Clear, but leaves out the reason.\n{line}")?.Score);

    [Theory]
    [InlineData("Analysis: a\nFeedback: Short and clear.\nScore: 2")]
    [InlineData("analysis: a\nFEEDBACK: Short and clear.\nscore: 2")]
    [InlineData("**Analysis:** a\n**Feedback:** Short and clear.\n**Score:** 2")]
    [InlineData("1. Analysis: a\n2. Feedback: Short and clear.\n3. Score: 2")]
    [InlineData("1. **Analysis**: a.\n\n2. **Feedback**: Short\n and clear.\n\n3. **Score**: 2")]
    [InlineData("Analysis: a. Feedback: Short and clear. Score: 2.")]
    [InlineData("1. Analysis: a. 2. Feedback: Short and clear. 3. Score: 2.")]
    [InlineData("Feedback: \"Short and clear.\"\r\nScore: 2")]
    public void Feedback_is_one_line_without_labels_numbers_and_marks(string reply) =>
        Assert.Equal(("Short and clear.", 2), JudgeReplies.Unconstrained(reply));

    [Theory]
    [InlineData("Score: 2")]
    [InlineData("Feedback:\nScore: 2")]
    [InlineData("Feedback: One thing.\nFeedback: Another thing.\nScore: 2")]
    public void A_reply_without_one_feedback_is_not_read(string reply) => Assert.Null(JudgeReplies.Unconstrained(reply));

    [Theory]
    [InlineData("Harmless and very helpful", "harmful:0,helpful:2")]
    [InlineData("harmless and helpful.", "harmful:0,helpful:1")]
    [InlineData("Harmless and not helpful", "harmful:0,helpful:0")]
    [InlineData("**Harmful**", "harmful:1,helpful:0")]
    public void SteerLM_says_the_same_categories_in_its_own_strings(string reply, string feedback)
    {
        string[] tags = ["harmful:0,helpful:2", "harmful:0,helpful:1", "harmful:0,helpful:0", "harmful:1,helpful:0"];
        var config = new RunConfig
        {
            Data = new() { Grammar = "grammar.yaml" },
            Feedback = new() { Tags = tags, Judge = new JudgeConfig.LanguageModel { Endpoint = "http://localhost/v1", Model = "judge" } },
            Selection = new() { Ranking = Ranking.Category },
        };
        Assert.Empty(config.Problems());

        var sample = new PoolSample(new SampleId(1, 0, 0), new string('a', 64), 0, false)
        {
            Category = JudgeReplies.Category(
            reply, JudgeReplies.HelpfulAndHarmless)
        };
        Assert.Equal(
            feedback,
            config.QuantileFeedback().Tags[Assert.Single(DataPool.Update([], [sample], tags.Length, config.Selection.Ranking)).Quantile]);
    }
}
