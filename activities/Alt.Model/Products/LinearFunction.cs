using static TorchSharp.torch;

namespace Alt.Model.Products;

/// <summary>
/// A linear layer's <c>y = x W + b</c> by <see cref="Product"/>, to be differentiated by libtorch. The gradients of weight and bias are
/// added to where they are kept, in place of being handed to libtorch, which would copy a matrix that others still hold.
/// </summary>
/// <remarks>Axes: R rows, K inputs, N outputs.</remarks>
internal sealed class LinearFunction : autograd.SingleTensorFunction<LinearFunction>
{
    private const string LayerKey = "layer";

    public override string Name => nameof(LinearFunction);

    /// <summary>A layer's weights, which are leaves of the graph, or not differentiated.</summary>
    /// <param name="Weight">(K, N) where it is by inputs, else (N, K).</param>
    /// <param name="Bias">(N)</param>
    internal sealed record Layer(Tensor Weight, Tensor? Bias, bool InputMajor)
    {
        /// <summary>(K, N)</summary>
        public Matrix Matrix => InputMajor ? Matrix.Of(Weight) : Matrix.Of(Weight).Transposed;
    }

    /// <param name="x">(R, K)</param>
    /// <returns>(R, N)</returns>
    public static Tensor Forward(Tensor x, Layer layer)
    {
        var rows = x.contiguous();
        return is_grad_enabled() && (x.requires_grad || layer.Weight.requires_grad || layer.Bias is { requires_grad: true })
            ? apply(rows, layer.Weight, layer.Bias!, layer)
            : Product.Of(Matrix.Of(rows), layer.Matrix, layer.Bias);
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, layer) = ((Tensor)vars[0], (Layer)vars[3]);
        ctx.save_for_backward([x]);
        ctx.save_data(LayerKey, layer);
        return Product.Of(Matrix.Of(x), layer.Matrix, layer.Bias);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
        [
            BackwardPass.Give(grad_output, gradient =>
                Differentiate((Layer)ctx.get_data(LayerKey), ctx.get_saved_variables()[0], gradient))!,
            null!, null!, null!
        ];

    /// <summary>Adds to the gradients of weight and bias.</summary>
    /// <param name="x">(R, K)</param>
    /// <param name="gradient">Of y (R, N), contiguous.</param>
    /// <returns>The gradient of x (R, K), or null where none is needed.</returns>
    private static Tensor? Differentiate(Layer layer, Tensor x, Tensor gradient)
    {
        var (dy, weight) = (Matrix.Of(gradient), layer.Weight);
        if (weight.requires_grad)
        {
            AddGradient(weight, layer.InputMajor ? Matrix.Of(x).Transposed : dy.Transposed, layer.InputMajor ? dy : Matrix.Of(x));
        }

        if (layer.Bias is { requires_grad: true } bias)
        {
            var sum = Product.SumOfRows(gradient);
            bias.grad = bias.grad is { } there ? there.add_(sum) : sum;
        }

        return x.requires_grad ? Product.Of(dy, layer.Matrix.Transposed) : null;
    }

    /// <summary>Adds the product of two matrices to a weight's gradient.</summary>
    internal static void AddGradient(Tensor weight, in Matrix a, in Matrix b)
    {
        if (weight.grad is { } sum)
        {
            Product.AddTo(sum, a, b);
        }
        else
        {
            weight.grad = Product.Of(a, b);
        }
    }
}
