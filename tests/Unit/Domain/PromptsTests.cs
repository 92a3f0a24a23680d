using Alt.Domain;

namespace Alt.Tests.Domain;

public class PromptsTests
{
    [Fact]
    public void A_draw_is_distinct_sorted_and_the_same_for_the_same_seed()
    {
        var drawn = Prompts.Draw(1, 2, 1_000, 300);
        Assert.Equal(300, drawn.Distinct().Count());
        Assert.Equal(drawn.Order(), drawn);
        Assert.Equal(drawn, Prompts.Draw(1, 2, 1_000, 300));
        Assert.NotEqual(drawn, Prompts.Draw(1, 3, 1_000, 300));
    }

    [Fact]
    public void More_than_there_are_gives_all() => Assert.Equal([0, 1, 2], Prompts.Draw(1, 1, 3, 10));

    [Theory]
    [InlineData(0, 64, 0)]
    [InlineData(1, 64, 1)]
    [InlineData(64, 64, 1)]
    [InlineData(65, 64, 2)]
    public void Chunks_hold_every_prompt(int count, int size, int chunks) => Assert.Equal(chunks, Prompts.Chunks(count, size));
}
