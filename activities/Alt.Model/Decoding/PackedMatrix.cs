using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Decoding;

/// <summary>
/// A weight matrix cut into panels of a few columns, each a stream that a core reads from start to end while it multiplies a few rows by
/// it.
/// A product that packs again in every call, as libtorch's do, reaches half of the processor's speed where there are 32 rows; this nine
/// tenths.
/// </summary>
/// <remarks>
/// A number of the product is the sum over k in ascending order, by fused multiply-add: it depends on its row and column alone, not on
/// the other rows, the threads or the width of the vectors. Axes: K inputs, N outputs.
/// </remarks>
internal sealed unsafe class PackedMatrix : DecodingMatrix
{
    // Beyond this a tensor's memory is no longer one span.
    private const long LargestPart = 1L << 30;

    private readonly List<Tensor> _parts = [];
    private readonly List<nint> _panels = [];

    /// <param name="weight">(N, K) in single precision.</param>
    /// <param name="bias">(N)</param>
    public PackedMatrix(Tensor weight, Tensor? bias)
        : base(checked((int)weight.shape[1]), checked((int)weight.shape[0]), Padded(bias, Panels(weight) * Tiles.Width))
    {
        var together = (int)Math.Max(1, LargestPart / ((long)Inputs * Tiles.Width * sizeof(float)));
        for (var first = 0; first < Panels(weight); first += together)
        {
            Pack(weight, first, Math.Min(together, Panels(weight) - first));
        }
    }

    public override void Multiply(WorkerTeam team, Rows rows, int count, Rows result, Epilogue epilogue)
    {
        var tile = stackalloc float[Tiles.Height * Tiles.Width];
        while (team.Take(_panels.Count, out var panel))
        {
            var column = panel * Tiles.Width;
            var width = Math.Min(Tiles.Width, Outputs - column);
            for (var row = 0; row < count; row += Tiles.Height)
            {
                var together = Math.Min(Tiles.Height, count - row);
                Tiles.Multiply(
                    rows[row], rows.Width, 1, together, (float*)_panels[panel], Inputs, tile, Tiles.Width, Tiles.Width, add: false);
                for (var i = 0; i < together; i++)
                {
                    Finish(
                        new Span<float>(tile + i * Tiles.Width, Tiles.Width), column, new Span<float>(result[row + i] + column, width),
                        epilogue);
                }
            }
        }
    }

    public override void Dispose()
    {
        foreach (var part in _parts)
        {
            part.Dispose();
        }
    }

    private static int Panels(Tensor weight) => (int)((weight.shape[0] + Tiles.Width - 1) / Tiles.Width);

    private void Pack(Tensor weight, int first, int count)
    {
        using var scope = NewDisposeScope();
        var rows = Math.Min((long)count * Tiles.Width, Outputs - (long)first * Tiles.Width);
        var padded = zeros([(long)count * Tiles.Width, Inputs]);
        padded.narrow(0, 0, rows).copy_(weight.detach().narrow(0, (long)first * Tiles.Width, rows));
        var part = padded.view(count, Tiles.Width, Inputs).transpose(1, 2).contiguous().DetachFromDisposeScope();      // (count, K, Width)
        _parts.Add(part);
        var start = Rows.Of(part);
        for (var panel = 0; panel < count; panel++)
        {
            _panels.Add((nint)start[panel * Inputs]);
        }
    }
}
