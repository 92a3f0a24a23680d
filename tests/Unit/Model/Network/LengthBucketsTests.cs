using Alt.Model.Network;

namespace Alt.Tests.Model;

public class LengthBucketsTests
{
    [Fact]
    public void Rows_of_one_length_stay_together() => Assert.Single(Cut([.. Enumerable.Repeat(500, 64)]));

    [Fact]
    public void Rows_that_would_need_little_padding_stay_together() => Assert.Single(Cut([10, 11, 12, 13, 14]));

    [Fact]
    public void Rows_of_two_lengths_are_two_parts() => Assert.Equal([[20, 20, 21, 22], [100, 101]], Cut([20, 20, 21, 22, 100, 101]));

    [Fact]
    public void The_parts_hold_every_row_in_its_order_and_need_less_padding_than_the_whole()
    {
        int[] lengths = [.. Enumerable.Range(0, 64).Select(i => 20 + i * i / 16)];
        var parts = Cut(lengths);
        Assert.Equal(lengths, parts.SelectMany(part => part));
        Assert.InRange(parts.Sum(part => part.Length * part[^1]), lengths.Sum(), lengths.Sum() * 6 / 5);
        Assert.InRange(64 * lengths[^1], lengths.Sum() * 2, int.MaxValue);
    }

    private static int[][] Cut(int[] lengths) => [.. LengthBuckets.Cut(lengths, length => length)];
}
