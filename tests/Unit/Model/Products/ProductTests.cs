using Alt.Domain;
using Alt.Model.Decoding;
using Alt.Model.Products;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

public class ProductTests
{
    // Beyond a tile, a panel, a block of rows and a chunk of inputs, and not a multiple of any.
    public static readonly TheoryData<int, int, int> Shapes = new()
    {
        { 1, 1, 1 }, { 8, 48, 7 }, { 3, 50, 16 }, { 9, 17, 65 }, { 101, 33, 70 }, { 40, 131, 1_030 }, { 130, 40, 2_050 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_product_is_the_sum_over_the_inputs_however_its_matrices_lie(int rows, int columns, int inputs)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (Normal(rows, inputs, 1), Normal(inputs, columns, 2));
        var (aTransposed, bTransposed) = (a.t().contiguous(), b.t().contiguous());
        var product = Product.Of(Matrix.Of(a), Matrix.Of(b));

        AssertSums(a.to(float64).mm(b.to(float64)), product, inputs);
        Assert.Equal(product.bytes, Product.Of(Matrix.Of(aTransposed).Transposed, Matrix.Of(b)).bytes);
        Assert.Equal(product.bytes, Product.Of(Matrix.Of(a), Matrix.Of(bTransposed).Transposed).bytes);
        Assert.Equal(product.bytes, Product.Of(Matrix.Of(aTransposed).Transposed, Matrix.Of(bTransposed).Transposed).bytes);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_product_is_added_to_what_is_there_and_a_bias_to_the_product(int rows, int columns, int inputs)
    {
        using var scope = NewDisposeScope();
        var (a, b, bias, sum) = (
            Normal(rows, inputs, 1), Normal(inputs, columns, 2), Normal(1, columns, 3).view(columns), Normal(rows, columns, 4));
        var expected = sum.to(float64) + a.to(float64).mm(b.to(float64));

        Assert.Equal((Product.Of(Matrix.Of(a), Matrix.Of(b)) + bias).bytes, Product.Of(Matrix.Of(a), Matrix.Of(b), bias).bytes);
        Product.AddTo(sum, Matrix.Of(a), Matrix.Of(b));
        AssertSums(expected, sum, inputs);
    }

    [Fact]
    public void Decoding_has_the_bits_of_the_products_of_training()
    {
        using var scope = NewDisposeScope();
        var (x, weight, bias) = (Normal(19, 1_100, 1), Normal(70, 1_100, 2), Normal(1, 70, 3).view(70));
        using var matrix = new PackedMatrix(weight, bias);
        using var team = new WorkerTeam(2);
        var result = zeros([19, 70]);
        team.Run(_ => matrix.Multiply(team, Rows.Of(x), 19, Rows.Of(result), Epilogue.Store));

        Assert.Equal(result.bytes, Product.Of(Matrix.Of(x), Matrix.Of(weight).Transposed, bias).bytes);
    }

    [Fact]
    public void Rows_are_summed_in_their_order()
    {
        using var scope = NewDisposeScope();
        var x = Normal(37, 600, 1);
        var sum = zeros([600]);
        for (var row = 0; row < 37; row++)
        {
            sum.add_(x[row]);
        }

        Assert.Equal(sum.bytes, Product.SumOfRows(x).bytes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_layer_has_the_gradients_of_libtorchs(bool inputMajor)
    {
        using var scope = NewDisposeScope();
        var (x, weight, bias, dy) = (
            Normal(21, 60, 1), Normal(inputMajor ? 60 : 90, inputMajor ? 90 : 60, 2), Normal(1, 90, 3).view(90), Normal(21, 90, 4));
        var layer = new LinearFunction.Layer(Leaf(weight), Leaf(bias), inputMajor);
        var (expectedX, expectedWeight, expectedBias, givenX) = (Leaf(x), Leaf(weight), Leaf(bias), Leaf(x));

        // Twice, since gradients add up.
        for (var i = 0; i < 2; i++)
        {
            nn.functional.linear(expectedX, inputMajor ? expectedWeight.t() : expectedWeight, expectedBias).backward([dy]);
            LinearFunction.Forward(givenX, layer).backward([dy]);
        }

        BackwardPass.ThrowFailure();
        AssertSums(expectedX.grad!, givenX.grad!, 90);
        AssertSums(expectedWeight.grad!, layer.Weight.grad!, 21);
        AssertSums(expectedBias.grad!, layer.Bias!.grad!, 21);
    }

    [Fact]
    public void What_is_not_trained_gets_no_gradient()
    {
        using var scope = NewDisposeScope();
        var (x, weight) = (Normal(3, 4, 1), Normal(5, 4, 2));
        var frozen = new LinearFunction.Layer(weight, null, InputMajor: false);
        Assert.False(LinearFunction.Forward(x, frozen).requires_grad);

        var input = Leaf(x);
        LinearFunction.Forward(input, frozen).sum().backward();
        Assert.Null(weight.grad);
        Assert.NotNull(input.grad);

        var trained = new LinearFunction.Layer(Leaf(weight), null, InputMajor: false);
        LinearFunction.Forward(x, trained).sum().backward();
        Assert.Null(x.grad);
        Assert.NotNull(trained.Weight.grad);
    }

    [Fact]
    public void An_error_on_the_way_back_is_thrown_after_it()
    {
        using var scope = NewDisposeScope();
        var layer = new LinearFunction.Layer(Leaf(Normal(5, 4, 2)), null, InputMajor: false);
        var y = LinearFunction.Forward(Normal(3, 4, 1), layer);
        // Without a weight there is nothing to multiply the gradient by.
        layer.Weight.Dispose();

        y.sum().backward();

        Assert.ThrowsAny<Exception>(BackwardPass.ThrowFailure);
        BackwardPass.ThrowFailure();
    }

    private static Tensor Leaf(Tensor tensor)
    {
        var leaf = tensor.clone();
        leaf.requires_grad = true;
        return leaf;
    }

    // Numbers of about 1: each of n additions to a sum of about the root of n rounds by half of its last bit. A number left out would be a
    // thousand times that.
    private static void AssertSums(Tensor expected, Tensor actual, int inputs) =>
        Assert.InRange((expected.to(float64) - actual.to(float64)).abs().max().ToDouble(), 0, 1e-6 * inputs);

    private static Tensor Normal(int rows, int columns, int seed)
    {
        var x = empty([rows, columns]);
        Philox.FillNormal(new RandomKey(seed, 0, Stage.Training, 0), x.Floats());
        return x;
    }
}
