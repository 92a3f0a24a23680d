using System.Buffers;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Model.Products;

/// <summary>
/// Products of matrices in single precision on the processor, by the kernels that decode: <see cref="Tiles"/> reads panels of the right
/// matrix and rows of the left one, where they lie or in copies made on the way, whichever it reads faster.
/// </summary>
/// <remarks>
/// A number of the product is the sum over k in ascending order, by fused multiply-add. So it is the same to the bit whatever the number of
/// cores, the other rows and columns, and the order in which the matrices lie. Axes: M rows, K inputs, N outputs.
/// </remarks>
internal sealed unsafe class Product
{
    // Inputs of a panel that stays in a core's second cache while all rows are multiplied by it: 192 KiB.
    private const int LongestChunk = 1024;

    // Rows of a piece of work where the pieces are rows.
    private const int BlockRows = 96;

    // So few multiplications that other cores are not called.
    private const long SmallWork = 1 << 18;

    [ThreadStatic]
    private static float[]? _buffer;

    private readonly Matrix _a, _b, _c;
    private readonly float[]? _bias;
    private readonly bool _add, _packsRows;
    private float* _shared;
    private int _first, _length;

    private Product(Matrix a, Matrix b, Matrix c, float[]? bias, bool add) =>
        (_a, _b, _c, _bias, _add, _packsRows) = (a, b, c, bias, add, a.ColumnStride != 1);

    private int Panels => (_b.Columns + Tiles.Width - 1) / Tiles.Width;

    private int Blocks => (_a.Rows + BlockRows - 1) / BlockRows;

    private bool IsLast => _first + _length == _b.Rows;

    /// <summary>Whether these kernels multiply such tensors: in single precision on the processor.</summary>
    public static bool Takes(Tensor tensor) => tensor.device_type == DeviceType.CPU && tensor.dtype == float32;

    /// <summary><c>C = A B + bias</c></summary>
    /// <param name="a">(M, K)</param>
    /// <param name="b">(K, N)</param>
    /// <param name="bias">(N)</param>
    /// <returns>(M, N)</returns>
    public static Tensor Of(in Matrix a, in Matrix b, Tensor? bias = null)
    {
        var result = empty([a.Rows, b.Columns]);
        Run(a, b, result, bias, add: false);
        return result;
    }

    /// <summary><c>C += A B</c></summary>
    public static void AddTo(Tensor result, in Matrix a, in Matrix b) => Run(a, b, result, null, add: true);

    /// <summary>The sum over the rows (N), in their order.</summary>
    /// <param name="x">(R, N), contiguous.</param>
    public static Tensor SumOfRows(Tensor x)
    {
        var (source, result) = (Matrix.Of(x), zeros([x.shape[1]]));
        var sums = Matrix.Of(result.unsqueeze(0));
        const int Piece = 256;
        Cores.Share((source.Columns + Piece - 1) / Piece, piece =>
        {
            var (start, length) = (piece * Piece, Math.Min(Piece, source.Columns - piece * Piece));
            for (var row = 0; row < source.Rows; row++)
            {
                RowKernels.Add(new ReadOnlySpan<float>(source[row, start], length), new Span<float>(sums[0, start], length));
            }
        });
        return result;
    }

    private static void Run(in Matrix a, in Matrix b, Tensor result, Tensor? bias, bool add)
    {
        if (a.Rows > 0 && b.Columns > 0)
        {
            new Product(a, b, Matrix.Of(result), bias?.detach().Floats().ToArray(), add).Run();
        }
    }

    // The smaller matrix is read by all; the pieces of work are panels or rows of the larger one.
    private void Run()
    {
        var byPanels = _a.Rows <= _b.Columns;
        var chunks = (_b.Rows + LongestChunk - 1) / LongestChunk;
        var longest = (_b.Rows + chunks - 1) / chunks;
        var needed = byPanels ? (_packsRows ? (long)Blocks * BlockRows * longest : 0) : (long)Panels * Tiles.Width * longest;
        var shared = needed > 0 ? ArrayPool<float>.Shared.Rent(checked((int)needed + 16)) : [];
        fixed (float* start = shared)
        {
            _shared = Aligned(start);
            for (var chunk = 0; chunk < chunks; chunk++)
            {
                _first = (int)((long)_b.Rows * chunk / chunks);
                _length = (int)((long)_b.Rows * (chunk + 1) / chunks) - _first;
                if (byPanels)
                {
                    Share(_packsRows ? Blocks : 0, block =>
                        Packing.Rows(_a, block * BlockRows, RowsOf(block), _first, _length, _shared + (long)block * BlockRows * _length));
                    Share(Panels, MultiplyPanel);
                }
                else
                {
                    Share(Panels, panel =>
                        Packing.Panel(_b, _first, _length, panel * Tiles.Width, _shared + (long)panel * Tiles.Width * _length));
                    Share(Blocks, MultiplyBlock);
                }
            }
        }

        if (needed > 0)
        {
            ArrayPool<float>.Shared.Return(shared);
        }
    }

    private void Share(int pieces, Action<int> body)
    {
        if ((long)_a.Rows * _b.Columns * _length > SmallWork)
        {
            Cores.Share(pieces, body);
            return;
        }

        for (var piece = 0; piece < pieces; piece++)
        {
            body(piece);
        }
    }

    private int RowsOf(int block) => Math.Min(BlockRows, _a.Rows - block * BlockRows);

    private void MultiplyPanel(int panel)
    {
        var own = Buffer();
        Packing.Panel(_b, _first, _length, panel * Tiles.Width, own);
        for (var block = 0; block < Blocks; block++)
        {
            Multiply(block, _shared + (long)block * BlockRows * _length, panel, own);
        }
    }

    private void MultiplyBlock(int block)
    {
        var own = Buffer();
        if (_packsRows)
        {
            Packing.Rows(_a, block * BlockRows, RowsOf(block), _first, _length, own);
        }

        for (var panel = 0; panel < Panels; panel++)
        {
            Multiply(block, own, panel, _shared + (long)panel * Tiles.Width * _length);
        }
    }

    private void Multiply(int block, float* packed, int panel, float* columns)
    {
        var (start, column) = (block * BlockRows, panel * Tiles.Width);
        var (end, width) = (start + RowsOf(block), Math.Min(Tiles.Width, _b.Columns - column));
        for (var row = start; row < end; row += Tiles.Height)
        {
            var (stride, step) = _packsRows ? ((nint)1, (nint)Tiles.Height) : ((nint)_a.RowStride, (nint)1);
            var first = _packsRows ? packed + (long)(row - start) * _length : _a[row, _first];
            var result = _c[row, column];
            var count = Math.Min(Tiles.Height, end - row);
            Tiles.Multiply(first, stride, step, count, columns, _length, result, (nint)_c.RowStride, width, _add || _first > 0);
            for (var i = 0; i < count && IsLast && _bias is not null; i++)
            {
                RowKernels.Add(_bias.AsSpan(column, width), new Span<float>(result + i * _c.RowStride, width));
            }
        }
    }

    private static float* Buffer()
    {
        _buffer ??= GC.AllocateUninitializedArray<float>(LongestChunk * Math.Max(Tiles.Width, BlockRows) + 16, pinned: true);
        fixed (float* start = _buffer)
        {
            // It is pinned as long as it lives.
            return Aligned(start);
        }
    }

    // To the next cache line.
    private static float* Aligned(float* start) => (float*)(((nint)start + 63) & ~63);
}
