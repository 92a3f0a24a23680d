using Alt.Activities.Feedback;
using Alt.Domain;

namespace Alt.Tests.Activities.Feedback;

public class JudgeTemplateTests
{
    private const string Question = "=== system\nBe fair.\n=== user\nHuman: {prompt}\nAssistant: {response}\n";

    [Fact]
    public void What_is_filled_in_is_not_searched_for_placeholders() =>
        Assert.Equal(
            [("system", "Be fair."), ("user", "Human: say {response}\nAssistant: {prompt} __ === user")],
            JudgeTemplate.Load(Question, "").Fill(" say {response} ", "{prompt} __ === user\n"));

    [Theory]
    [InlineData("Human: Hello.\n\nAssistant:", "Hello.")]
    [InlineData("Human: One.\n\nAssistant: Two.\n\nHuman: Three.\n\nAssistant:", "One.\n\nAssistant: Two.\n\nHuman: Three.")]
    [InlineData("POST: Long story.\nTL;DR:", "POST: Long story.")]
    [InlineData("Tell me a joke.", "Tell me a joke.")]
    public void A_prompts_marks_are_not_written_twice(string prompt, string asked) =>
        Assert.Equal($"Human: {asked}\nAssistant: Yes.", JudgeTemplate.Load(Question, "").Fill(prompt, "Yes.")[1].Text);

    [Theory]
    [InlineData("Is this good? {response}")]
    [InlineData("=== user\nIs this good?")]
    [InlineData("")]
    public void A_text_without_messages_is_refused(string text) => Assert.Throws<InputException>(() => JudgeTemplate.Load(text, ""));

    [Theory]
    [InlineData("category")]
    [InlineData("unconstrained")]
    [InlineData("closed")]
    public void The_shipped_questions_can_be_filled(string name) =>
        Assert.Contains("an answer", JudgeTemplate.Load(null, name).Fill("an answer", "an answer")[^1].Text, StringComparison.Ordinal);
}
