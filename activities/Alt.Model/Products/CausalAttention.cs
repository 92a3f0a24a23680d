using System.Buffers;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace Alt.Model.Products;

/// <summary>
/// Scaled dot-product attention of sequences to themselves where no position sees a later one, on all cores: a piece of work is a head of
/// keys and values of one sequence with the heads of queries that it serves, so that no sum is split between cores. What lies above the
/// diagonal is not computed.
/// </summary>
/// <remarks>
/// Axes: B sequences, T positions, N = B * T rows, H heads, G heads of keys and values, D head width, S positions in whole vectors.
/// </remarks>
internal sealed class CausalAttention : autograd.SingleTensorFunction<CausalAttention>
{
    private const string ShapeKey = "shape";

    public override string Name => nameof(CausalAttention);

    /// <param name="qkv">Queries, keys and values side by side (N, (H + 2G) D).</param>
    /// <returns>(N, HD)</returns>
    public static Tensor Forward(Tensor qkv, long B, long T, long H, long G)
    {
        var shape = new AttentionShape((int)B, (int)T, (int)H, (int)G, (int)(qkv.shape[1] / (H + 2 * G)));
        var rows = qkv.contiguous();
        if (is_grad_enabled() && rows.requires_grad)
        {
            return apply(rows, shape);
        }

        using var weights = shape.Weights();
        return new AttentionKernel(shape, rows, weights).Forward();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (qkv, shape) = ((Tensor)vars[0], (AttentionShape)vars[1]);
        var weights = shape.Weights();
        ctx.save_for_backward([qkv, weights]);
        ctx.save_data(ShapeKey, shape);
        return new AttentionKernel(shape, qkv, weights).Forward();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) =>
        [BackwardPass.Give(grad_output, gradient => ctx.get_saved_variables() is [var qkv, var weights]
            ? new AttentionKernel((AttentionShape)ctx.get_data(ShapeKey), qkv, weights).Backward(gradient)
            : null)!, null!];
}

/// <summary>The axes of an attention.</summary>
internal sealed record AttentionShape(int B, int T, int H, int G, int D)
{
    /// <summary>S</summary>
    public int Stride => (T + Lanes - 1) / Lanes * Lanes;

    private static int Lanes => Vector512<float>.Count;

    /// <summary>Room for what each position gives to each (BHT, S).</summary>
    public Tensor Weights() => empty([(long)B * H * T, Stride]);
}

/// <summary>The pieces of work of <see cref="CausalAttention"/>.</summary>
/// <param name="qkv">(N, (H + 2G) D)</param>
/// <param name="weights">The weights of the values (BHT, S), written forward and read backward.</param>
internal sealed unsafe class AttentionKernel(AttentionShape shape, Tensor qkv, Tensor weights)
{
    private readonly Matrix _qkv = Matrix.Of(qkv), _weights = Matrix.Of(weights);
    private readonly float _scale = 1 / MathF.Sqrt(shape.D);

    // Of panels, and of the gradients of one head's weights.
    private int BufferLength => Math.Max(shape.T, shape.D) * Tiles.Width;

    private int Shared => shape.H / shape.G;

    /// <returns>(N, HD)</returns>
    public Tensor Forward()
    {
        var result = empty([(long)shape.B * shape.T, shape.H * shape.D]);
        var read = Matrix.Of(result);
        Cores.Share(shape.B * shape.H, piece =>
        {
            var (b, h) = Math.DivRem(piece, shape.H);
            var buffer = ArrayPool<float>.Shared.Rent(BufferLength);
            fixed (float* panel = buffer)
            {
                Forward(b, h, Part(read, b, h), panel);
            }

            ArrayPool<float>.Shared.Return(buffer);
        });
        return result;
    }

    /// <param name="gradient">Of what was read (N, HD).</param>
    /// <returns>Of queries, keys and values (N, (H + 2G) D).</returns>
    public Tensor Backward(Tensor gradient)
    {
        var result = empty([_qkv.Rows, _qkv.Columns]);
        var (given, written) = (Matrix.Of(gradient), Matrix.Of(result));
        Cores.Share(shape.B * shape.G, piece =>
        {
            var (b, g) = Math.DivRem(piece, shape.G);
            var buffer = ArrayPool<float>.Shared.Rent(BufferLength + shape.T * shape.Stride);
            fixed (float* panel = buffer)
            {
                for (var h = g * Shared; h < (g + 1) * Shared; h++)
                {
                    Backward(b, h, Part(given, b, h), written, panel, panel + BufferLength);
                }
            }

            ArrayPool<float>.Shared.Return(buffer);
        });
        return result;
    }

    private void Forward(int b, int h, in Matrix read, float* panel)
    {
        var shares = WeightsOf(b, h);
        ByColumns(Part(_qkv, b, h), Keys(_qkv, b, h), shares, panel);                              // (T, T)
        for (var t = 0; t < shape.T; t++)
        {
            var row = new Span<float>(shares[t, 0], shape.Stride);
            RowKernels.Scale(row[..(t + 1)], _scale);
            row[(t + 1)..].Clear();
            var seen = (t + 1 + Vector512<float>.Count - 1) / Vector512<float>.Count * Vector512<float>.Count;
            RowKernels.Softmax(row[..seen], t + 1);
        }

        ByRows(shares, Values(_qkv, b, h), read, panel);                                           // (T, D)
    }

    // Where heads of queries share keys and values, the first writes their gradients and the others add to them.
    private void Backward(int b, int h, in Matrix gradient, in Matrix written, float* panel, float* scores)
    {
        var shares = WeightsOf(b, h);
        var slopes = new Matrix((nint)scores, shape.T, shape.T, shape.Stride, 1);
        ByColumns(gradient, Values(_qkv, b, h), slopes, panel);                                     // (T, T)
        for (var t = 0; t < shape.T; t++)
        {
            var row = new Span<float>(slopes[t, 0], shape.Stride);
            row[(t + 1)..].Clear();
            RowKernels.SoftmaxSlope(new ReadOnlySpan<float>(shares[t, 0], shape.Stride), row, _scale);
        }

        var add = h % Shared > 0;
        ByRows(slopes, Keys(_qkv, b, h), Part(written, b, h), panel);                               // (T, D)
        Transposed(slopes, Part(_qkv, b, h), Keys(written, b, h), panel, add);                      // (T, D)
        Transposed(shares, gradient, Values(written, b, h), panel, add);                           // (T, D)
    }

    // rows (T, D) by columns (T, D) to each other (T, T), up to the diagonal's tiles.
    private void ByColumns(in Matrix rows, in Matrix columns, in Matrix result, float* panel)
    {
        for (var column = 0; column < shape.T; column += Tiles.Width)
        {
            Packing.Panel(columns.Transposed, 0, shape.D, column, panel);
            for (var row = column / Tiles.Height * Tiles.Height; row < shape.T; row += Tiles.Height)
            {
                Tiles.Multiply(
                    rows[row, 0], (nint)rows.RowStride, 1, Math.Min(Tiles.Height, shape.T - row), panel, shape.D,
                    result[row, column], (nint)result.RowStride, Math.Min(Tiles.Width, shape.T - column), add: false);
            }
        }
    }

    // weights (T, T), 0 above the diagonal, by what they weigh (T, D).
    private void ByRows(in Matrix weights, in Matrix weighed, in Matrix result, float* panel)
    {
        for (var column = 0; column < shape.D; column += Tiles.Width)
        {
            Packing.Panel(weighed, 0, shape.T, column, panel);
            for (var row = 0; row < shape.T; row += Tiles.Height)
            {
                var end = Math.Min(row + Tiles.Height, shape.T);
                Tiles.Multiply(
                    weights[row, 0], (nint)weights.RowStride, 1, end - row, panel, end,
                    result[row, column], (nint)result.RowStride, Math.Min(Tiles.Width, shape.D - column), add: false);
            }
        }
    }

    // The transposed of weights (T, T), 0 above the diagonal, by what they weigh (T, D).
    private void Transposed(in Matrix weights, in Matrix weighed, in Matrix result, float* panel, bool add)
    {
        for (var column = 0; column < shape.D; column += Tiles.Width)
        {
            Packing.Panel(weighed, 0, shape.T, column, panel);
            for (var row = 0; row < shape.T; row += Tiles.Height)
            {
                Tiles.Multiply(
                    weights[row, row], 1, (nint)weights.RowStride, Math.Min(Tiles.Height, shape.T - row), panel + row * Tiles.Width,
                    shape.T - row,
                    result[row, column], (nint)result.RowStride, Math.Min(Tiles.Width, shape.D - column), add);
            }
        }
    }

    // (T, S)
    private Matrix WeightsOf(int b, int h) => new((nint)_weights[((long)b * shape.H + h) * shape.T, 0], shape.T, shape.T, shape.Stride, 1);

    private Matrix Keys(in Matrix matrix, int b, int h) => Part(matrix, b, shape.H + h / Shared);

    private Matrix Values(in Matrix matrix, int b, int h) => Part(matrix, b, shape.H + shape.G + h / Shared);

    // The rows of a sequence, and of them the columns of a head (T, D).
    private Matrix Part(in Matrix matrix, int b, int head) =>
        new((nint)matrix[(long)b * shape.T, (long)head * shape.D], shape.T, shape.D, matrix.RowStride, 1);
}
