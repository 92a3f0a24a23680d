using System.Runtime.Intrinsics;
using Alt.Model.Products;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Model.Training;

/// <summary>The Euclidean norm of gradients, all of them together.</summary>
internal static class GradientNorm
{
    // Elements per partial sum, however many cores there are: the sums' order is part of the result.
    private const int Piece = 1 << 16;

    public static double Of(IEnumerable<Tensor> gradients)
    {
        using var scope = NewDisposeScope();
        var squares = 0.0;
        foreach (var gradient in gradients)
        {
            squares += gradient.device_type == DeviceType.CPU && gradient.dtype == float32 && gradient.is_contiguous()
                ? Squares(gradient)
                : gradient.to(float32).square().sum().ToDouble();
        }

        return Math.Sqrt(squares);
    }

    private static double Squares(Tensor gradient)
    {
        var length = (int)gradient.NumberOfElements;
        var sums = new double[(length + Piece - 1) / Piece];
        if (sums.Length == 1)
        {
            Sum(0);
        }
        else
        {
            Parallel.For(0, sums.Length, Sum);
        }

        return sums.Sum();

        void Sum(int piece)
        {
            var start = piece * Piece;
            sums[piece] = Squares(gradient.Floats().Slice(start, Math.Min(Piece, length - start)));
        }
    }

    private static double Squares(ReadOnlySpan<float> values)
    {
        var (width, i) = (Vector512<float>.Count, 0);
        var sums = Vector512<float>.Zero;
        for (; i <= values.Length - width; i += width)
        {
            var value = Vector512.LoadUnsafe(in values[i]);
            sums += value * value;
        }

        double sum = Vector512.Sum(sums);
        for (; i < values.Length; i++)
        {
            sum += values[i] * values[i];
        }

        return sum;
    }
}
