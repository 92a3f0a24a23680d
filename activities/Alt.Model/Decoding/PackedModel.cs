using Alt.Model.Network;
using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Decoding;

/// <summary>
/// A model's weights as the kernels read them, made when the first sequence is decoded: matrices are copies, embeddings are where the model
/// has them.
/// </summary>
/// <remarks>Kernels read through pointers, so the memory lives until the model and every decoder have let go of it.</remarks>
internal sealed class PackedModel
{
    private int _holders = 1;

    public PackedModel(LanguageModel model)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (config, names) = (model.Config, model.Config.Architecture.Weights);
        Blocks = [.. Enumerable.Range(0, config.Layers).Select(layer => new PackedBlock(model, DecoderWeights.Block(config, layer)))];
        FinalNorm = new PackedNorm(model, names.Trunk + names.FinalNorm);
        var head = model.Parameters[config.TiedHead ? DecoderWeights.TokenEmbedding(config) : DecoderWeights.Head(config)];
        Tokens = new EmbeddingRows(model.Parameters[DecoderWeights.TokenEmbedding(config)]);
        Positions = DecoderWeights.PositionEmbedding(config) is { } positions ? new EmbeddingRows(model.Parameters[positions]) : null;
        Head = DecodingMatrix.Of(PackedBlock.Kept(head), model.Parameters.GetValueOrDefault(DecoderWeights.HeadBias(config)));
    }

    public EmbeddingRows Tokens { get; }

    public EmbeddingRows? Positions { get; }

    public PackedBlock[] Blocks { get; }

    public PackedNorm FinalNorm { get; }

    public DecodingMatrix Head { get; }

    public PackedModel Hold()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) > 0)
        {
            return;
        }

        foreach (var block in Blocks)
        {
            block.Dispose();
        }

        Head.Dispose();
        Tokens.Dispose();
        Positions?.Dispose();
    }
}

/// <summary>One layer's weights.</summary>
internal sealed class PackedBlock : IDisposable
{
    public PackedBlock(LanguageModel model, string block)
    {
        var (config, names) = (model.Config, model.Config.Architecture.Weights);
        AttentionNorm = new PackedNorm(model, block + names.AttentionNorm);
        InnerNorm = new PackedNorm(model, block + names.InnerNorm);
        var byHead = config.Architecture.AttentionWeights == AttentionWeights.ByHead;
        Attention = Matrix(names.Attention, rows => byHead ? QueriesFirst(rows, config) : rows);
        Projection = Matrix([names.Projection]);
        Inner = Matrix(names.Inner);
        Outer = Matrix([names.Outer]);

        DecodingMatrix Matrix(string[] parts, Func<Tensor, Tensor>? arranged = null)
        {
            var weights = parts.Select(part => model.Parameters[$"{block}{part}.weight"].detach())
                .Select(w => config.Architecture.InputMajor ? w.t() : w);
            var biases = parts.Select(part => model.Parameters.GetValueOrDefault($"{block}{part}.bias"))
                .OfType<Tensor>().Select(b => b.detach()).ToArray();
            return DecodingMatrix.Of(Kept(Arranged(cat([.. weights]))), biases is [] ? null : Arranged(cat(biases)));

            Tensor Arranged(Tensor rows) => arranged?.Invoke(rows) ?? rows;
        }
    }

    public PackedNorm AttentionNorm { get; }

    public PackedNorm InnerNorm { get; }

    /// <summary>C to queries, keys and values ((H + 2G) D).</summary>
    public DecodingMatrix Attention { get; }

    /// <summary>HD to C.</summary>
    public DecodingMatrix Projection { get; }

    /// <summary>C to I; with SwiGLU the gate first, then what it gates (2I).</summary>
    public DecodingMatrix Inner { get; }

    /// <summary>I to C.</summary>
    public DecodingMatrix Outer { get; }

    /// <summary>The element types that the kernels know; others become single precision.</summary>
    public static Tensor Kept(Tensor weight) => weight.dtype == bfloat16 ? weight : weight.to(float32);

    public void Dispose()
    {
        foreach (var matrix in new[] { Attention, Projection, Inner, Outer })
        {
            matrix.Dispose();
        }
    }

    // From query, key and value of head after head (H, 3, D, ...) to all queries, all keys, all values.
    private static Tensor QueriesFirst(Tensor rows, DecoderConfig config) =>
        rows.view(config.Heads, 3, config.D, -1).transpose(0, 1).reshape(rows.shape);
}

/// <summary>A norm's weights.</summary>
internal sealed class PackedNorm
{
    private readonly float[] _weight;
    private readonly float[]? _bias;
    private readonly double _epsilon;
    private readonly bool _rootMeanSquare;

    public PackedNorm(LanguageModel model, string name)
    {
        _weight = Floats(model.Parameters[name + ".weight"]);
        _bias = model.Parameters.TryGetValue(name + ".bias", out var bias) ? Floats(bias) : null;
        _epsilon = model.Config.NormEpsilon;
        _rootMeanSquare = model.Config.Architecture.RootMeanSquareNorm;
    }

    /// <param name="x">(C)</param>
    /// <param name="result">(C)</param>
    public void Of(ReadOnlySpan<float> x, Span<float> result)
    {
        var mean = _rootMeanSquare ? 0 : RowKernels.Sum(x) / x.Length;
        var scale = (float)(1 / Math.Sqrt(RowKernels.SumOfSquares(x, mean) / x.Length + _epsilon));
        RowKernels.Normalise(x, mean, scale, _weight, _bias, result);
    }

    private static float[] Floats(Tensor tensor) => tensor.detach().to(float32).contiguous().Floats().ToArray();
}
