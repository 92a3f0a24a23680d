using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;
using Gelu = TorchSharp.Modules.GELU.Approximate;

namespace Alt.Activities.Model;

/// <summary>GELU (arXiv 1606.08415) on all cores; libtorch's, on one, takes as long for a layer of GPT-2 as a tenth of its matrix products.</summary>
internal static class GeluKernel
{
    // Elements per piece of work.
    private const int Piece = 1 << 15;

    private static readonly int Width = Vector512<float>.Count;

    /// <param name="x">Of any shape.</param>
    public static Tensor Of(Tensor x, Gelu approximate)
    {
        if (x.device_type != DeviceType.CPU || x.dtype != float32 || !x.is_contiguous())
        {
            return gelu(x, approximate);
        }

        // The tangent at x: its value is the function's, its slope the derivative, and autograd need not know how they were found.
        var (intercepts, slopes) = (empty_like(x), empty_like(x));
        SetTangents(x.detach(), intercepts, slopes, approximate == Gelu.tanh);
        return intercepts.addcmul_(x, slopes, 1);
    }

    private static void SetTangents(Tensor x, Tensor intercepts, Tensor slopes, bool tanh)
    {
        foreach (var ((points, values), derivatives) in x.Parts().Zip(intercepts.Parts()).Zip(slopes.Parts()))
        {
            var count = (int)points.NumberOfElements;
            Parallel.For(0, (count + Piece - 1) / Piece, piece =>
            {
                var (start, length) = (piece * Piece, Math.Min(Piece, count - piece * Piece));
                SetTangents(points.Floats().Slice(start, length), values.Floats().Slice(start, length), derivatives.Floats().Slice(start, length), tanh);
            });
        }
    }

    private static void SetTangents(ReadOnlySpan<float> x, Span<float> intercepts, Span<float> slopes, bool tanh)
    {
        var whole = x.Length - x.Length % Width;
        for (var i = 0; i < whole; i += Width)
        {
            Tangent(Vector512.LoadUnsafe(in x[i]), tanh, out var intercept, out var slope);
            intercept.StoreUnsafe(ref intercepts[i]);
            slope.StoreUnsafe(ref slopes[i]);
        }

        if (whole < x.Length)
        {
            Span<float> rest = stackalloc float[Width];
            rest.Clear();
            x[whole..].CopyTo(rest);
            Tangent(Vector512.LoadUnsafe(in rest[0]), tanh, out var intercept, out var slope);
            for (var i = whole; i < x.Length; i++)
            {
                (intercepts[i], slopes[i]) = (intercept[i - whole], slope[i - whole]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tangent(Vector512<float> x, bool tanh, out Vector512<float> intercept, out Vector512<float> slope)
    {
        slope = tanh ? VectorMath.GeluTanhSlope(x) : VectorMath.GeluSlope(x);
        intercept = (tanh ? VectorMath.GeluTanh(x) : VectorMath.Gelu(x)) - slope * x;
    }
}
