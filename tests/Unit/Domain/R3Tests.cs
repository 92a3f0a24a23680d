using Alt.Domain;

namespace Alt.Tests.Domain;

/// <summary>Golden values of the released reward code.</summary>
public class R3Tests
{
    private const string Repeated = "the cat sat. the cat sat. the cat sat.";

    [Theory]
    [InlineData(Repeated, .12, .4)]
    [InlineData("hi there", .02, 1)]
    [InlineData("", 0, 1)]
    public void Length_and_repetition(string response, double lengthIncentive, double repetitionPenalty)
    {
        Assert.Equal(lengthIncentive, R3.LengthIncentive(response), 12);
        Assert.Equal(repetitionPenalty, R3.RepetitionPenalty(response), 12);
    }

    [Fact]
    public void An_open_query_takes_relevance_length_and_repetition() => Assert.Equal(.0576, R3.Open(Repeated, 1.2), 12);

    [Fact]
    public void A_closed_query_takes_scaled_relevance_and_repetition() => Assert.Equal(.702171428571, R3.Closed(Repeated, 1.2), 12);

    [Fact]
    public void Relevance_above_the_scale_is_not_clipped() => Assert.Equal(2 * 5.12, R3.Closed("hi there", 7), 12);

    [Fact]
    public void A_response_ends_where_the_next_speaker_begins() => Assert.Equal("Sure.", R3.Cut("Sure.\n\nHuman: and then?"));
}
