using System.Text.Json.Nodes;
using Alt.Activities.Feedback;

namespace Alt.Tests.Activities.Feedback;

public class ReplyJsonTests
{
    [Theory]
    [InlineData("""{"category":"good"}""", "good")]
    [InlineData("""{"category":"good","category":"bad"}""", null)]
    [InlineData("""{"category":"good""", null)]
    [InlineData("""["good"]""", null)]
    [InlineData("""{"category":1}""", null)]
    public void A_reply_that_is_not_what_was_asked_for_is_no_reply(string text, string? expected) =>
        Assert.Equal(expected, ReplyJson.Read(() => JsonNode.Parse(text)?["category"]?.GetValue<string>()));
}
