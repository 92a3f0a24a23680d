using System.Runtime.Intrinsics;
using Alt.Model.Products;

namespace Alt.Tests.Model;

public class VectorMathTests
{
    [Fact]
    public void The_exponential_is_within_a_unit_in_the_last_place()
    {
        var largest = 0.0;
        for (var x = -87.33f; x < 88.72f; x += 0.00013f)
        {
            var (exact, value) = (Math.Exp(x), Exp(x));
            largest = Math.Max(largest, Math.Abs(value - exact) / (MathF.BitIncrement((float)exact) - (float)exact));
        }

        Assert.InRange(largest, 0, 1);
    }

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(-87.4f, 0f)]
    [InlineData(-1e30f, 0f)]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(88.73f, float.PositiveInfinity)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void The_exponential_ends_where_single_precision_does(float x, float expected) => Assert.Equal(expected, Exp(x));

    [Fact]
    public void The_largest_lane_is_found_wherever_it_is()
    {
        for (var lane = 0; lane < Vector512<float>.Count; lane++)
        {
            Assert.Equal(-2, VectorMath.Max(Vector512.Create(-3f).WithElement(lane, -2f)));
        }
    }

    private static float Exp(float x) => VectorMath.Exp(Vector512.Create(x))[7];
}
