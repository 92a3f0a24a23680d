using Alt.Domain;

namespace Alt.Tests.Domain;

public class PhiloxTests
{
    private static readonly RandomKey Key = new(Seed: 7, Iteration: 2, Stage.Sampling, Prompt: 11, K: 3);

    // The known-answer vectors of Random123 for philox4x32 with 10 rounds.
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(
        0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(
        0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void A_block_is_what_Random123_gives(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint r0, uint r1, uint r2, uint r3) =>
        Assert.Equal((r0, r1, r2, r3), Philox.Block((c0, c1, c2, c3), (k0, k1)));

    [Fact]
    public void Every_part_of_the_key_and_the_position_changes_the_number()
    {
        RandomKey[] keys =
        [
            Key, Key with { Seed = 8 }, Key with { Seed = Key.Seed + (1L << 32) }, Key with { Iteration = 3 },
            Key with { Stage = Stage.Evaluation },
            Key with { Prompt = 12 }, Key with { K = 4 },
        ];
        var numbers = keys.Select(key => Philox.Uniform(key, 5)).Append(Philox.Uniform(Key, 6));
        Assert.Distinct(numbers);
    }

    [Fact]
    public void Uniforms_lie_in_the_unit_interval_and_are_even()
    {
        var numbers = Enumerable.Range(0, 100_000).Select(i => Philox.Uniform(Key, (uint)i)).ToArray();
        Assert.All(numbers, u => Assert.InRange(u, 0, Math.BitDecrement(1.0)));
        Assert.Equal(0.5, numbers.Average(), 0.005);
        Assert.Equal(1.0 / 12, numbers.Average(u => (u - 0.5) * (u - 0.5)), 0.002);
    }

    [Fact]
    public void Normals_have_mean_0_and_variance_1()
    {
        var numbers = Enumerable.Range(0, 100_000).Select(i => Philox.Normal(Key, (uint)i)).ToArray();
        Assert.Equal(0, numbers.Average(), 0.02);
        Assert.Equal(1, numbers.Average(z => z * z), 0.02);
        Assert.Equal(0, Enumerable.Range(0, 50_000).Average(i => numbers[2 * i] * numbers[2 * i + 1]), 0.02);
    }

    [Fact]
    public void Filling_with_normals_gives_the_single_normals()
    {
        var values = new float[7];
        Philox.FillNormal(Key, values, mean: 1, deviation: 2);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => (float)(1 + 2 * Philox.Normal(Key, (uint)i))), values);
    }

    [Fact]
    public void A_permutation_holds_every_number_once_and_is_the_same_for_the_same_key()
    {
        var order = Philox.Permutation(Key, 100);
        Assert.Equal(Enumerable.Range(0, 100), order.Order());
        Assert.Equal(order, Philox.Permutation(Key, 100));
        Assert.NotEqual(order, Philox.Permutation(Key with { Seed = 8 }, 100));
    }

    [Fact]
    public void Every_permutation_is_equally_likely()
    {
        var counts = Enumerable.Range(0, 24_000)
            .GroupBy(i => string.Join(',', Philox.Permutation(Key with { Prompt = i }, 4)))
            .Select(group => group.Count()).ToArray();
        Assert.Equal(24, counts.Length);
        Assert.All(counts, count => Assert.InRange(count, 850, 1150));
    }
}
