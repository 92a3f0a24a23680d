using System.Runtime.Intrinsics;
using Alt.Model.Products;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;
using Gelu = TorchSharp.Modules.GELU.Approximate;

namespace Alt.Model.Network;

/// <summary>
/// GELU (arXiv 1606.08415) on all cores; libtorch's, on one, takes as long for a layer of GPT-2 as a tenth of its matrix products.
/// </summary>
internal sealed class GeluKernel : autograd.SingleTensorFunction<GeluKernel>
{
    // Elements per piece of work.
    private const int Piece = 1 << 15;

    private const string FormKey = "form";

    private static readonly int Width = Vector512<float>.Count;

    public override string Name => nameof(GeluKernel);

    /// <param name="x">Of any shape.</param>
    public static Tensor Forward(Tensor x, Gelu approximate)
    {
        if (!Product.Takes(x))
        {
            return gelu(x, approximate);
        }

        var whole = x.contiguous();
        return is_grad_enabled() && whole.requires_grad ? apply(whole, approximate) : Values(whole, approximate);
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, approximate) = ((Tensor)vars[0], (Gelu)vars[1]);
        ctx.save_for_backward([x]);
        ctx.save_data(FormKey, approximate);
        return Values(x, approximate);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
        [BackwardPass.Give(grad_output, gradient => Slopes(ctx.get_saved_variables()[0], gradient, (Gelu)ctx.get_data(FormKey)))!, null!];

    private static Tensor Values(Tensor x, Gelu approximate) => approximate == Gelu.tanh ? Map<TanhValue>(x, x) : Map<Value>(x, x);

    // Of the loss in x, by that in what came of x.
    private static Tensor Slopes(Tensor x, Tensor gradient, Gelu approximate) =>
        approximate == Gelu.tanh ? Map<TanhSlope>(x, gradient) : Map<Slope>(x, gradient);

    // Two contiguous tensors of one shape to a third.
    private static unsafe Tensor Map<TFormula>(Tensor x, Tensor factor)
        where TFormula : struct, IFormula
    {
        var result = empty_like(x);
        var (length, width) = (x.NumberOfElements, x.shape[^1]);
        var (xs, factors, results) = (Matrix.Of(x.view(-1, width)), Matrix.Of(factor.view(-1, width)), Matrix.Of(result.view(-1, width)));
        Cores.Share((int)((length + Piece - 1) / Piece), piece =>
        {
            var start = (long)piece * Piece;
            var count = (int)Math.Min(Piece, length - start);
            Map<TFormula>(new(xs[0, start], count), new(factors[0, start], count), new(results[0, start], count));
        });
        return result;
    }

    private static void Map<TFormula>(ReadOnlySpan<float> x, ReadOnlySpan<float> factor, Span<float> result)
        where TFormula : struct, IFormula
    {
        var whole = x.Length - x.Length % Width;
        for (var i = 0; i < whole; i += Width)
        {
            TFormula.At(Vector512.LoadUnsafe(in x[i]), Vector512.LoadUnsafe(in factor[i])).StoreUnsafe(ref result[i]);
        }

        if (whole < x.Length)
        {
            Span<float> rest = stackalloc float[2 * Width];
            rest.Clear();
            x[whole..].CopyTo(rest);
            factor[whole..].CopyTo(rest[Width..]);
            TFormula.At(Vector512.LoadUnsafe(in rest[0]), Vector512.LoadUnsafe(in rest[Width])).StoreUnsafe(ref rest[0]);
            rest[..(x.Length - whole)].CopyTo(result[whole..]);
        }
    }

    private interface IFormula
    {
        static abstract Vector512<float> At(Vector512<float> x, Vector512<float> factor);
    }

    private readonly struct Value : IFormula
    {
        public static Vector512<float> At(Vector512<float> x, Vector512<float> factor) => VectorMath.Gelu(x);
    }

    private readonly struct TanhValue : IFormula
    {
        public static Vector512<float> At(Vector512<float> x, Vector512<float> factor) => VectorMath.GeluTanh(x);
    }

    private readonly struct Slope : IFormula
    {
        public static Vector512<float> At(Vector512<float> x, Vector512<float> factor) => VectorMath.GeluSlope(x) * factor;
    }

    private readonly struct TanhSlope : IFormula
    {
        public static Vector512<float> At(Vector512<float> x, Vector512<float> factor) => VectorMath.GeluTanhSlope(x) * factor;
    }
}
