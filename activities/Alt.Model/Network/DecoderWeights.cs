namespace Alt.Model.Network;

/// <summary>What a weight is for, which decides how it starts.</summary>
internal enum WeightRole
{
    Matrix,

    /// <summary>The matrix whose product is added to the residual stream.</summary>
    ResidualMatrix,

    Norm,
    Bias,
}

/// <summary>One weight of a decoder, by the name and in the shape that its family's checkpoints give it.</summary>
internal readonly record struct DecoderWeight(string Name, WeightRole Role, long[] Shape)
{
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>
/// The weights of a decoder. Axes: V vocabulary, P positions, C width, H heads, G heads of keys and values, D head width, I inner width.
/// </summary>
internal static class DecoderWeights
{
    /// <summary>All of them, in the order in which new ones are drawn.</summary>
    public static IEnumerable<DecoderWeight> Of(DecoderConfig config)
    {
        var (architecture, names) = (config.Architecture, config.Architecture.Weights);
        long V = config.Vocabulary, C = config.Width, I = config.InnerWidth, queries = (long)config.Heads * config.D,
            keys = (long)config.G * config.D;
        yield return new(TokenEmbedding(config), WeightRole.Matrix, [V, C]);
        if (PositionEmbedding(config) is { } positions)
        {
            yield return new(positions, WeightRole.Matrix, [config.Positions, C]);
        }

        for (var layer = 0; layer < config.Layers; layer++)
        {
            var block = Block(config, layer);
            var attention = names.Attention.Length == 1 ? [queries + 2 * keys] : new[] { queries, keys, keys };
            IEnumerable<DecoderWeight>[] parts =
            [
                Norm(block + names.AttentionNorm),
                .. names.Attention.Zip(attention, (name, width) => Linear(block + name, C, width, architecture.AttentionBias)),
                Linear(block + names.Projection, queries, C, architecture.ProjectionBias, WeightRole.ResidualMatrix),
                architecture.Residual == Residual.ParallelOneNorm ? [] : Norm(block + names.InnerNorm),
                .. names.Inner.Select(name => Linear(block + name, C, I, architecture.FeedForwardBias)),
                Linear(block + names.Outer, I, C, architecture.FeedForwardBias, WeightRole.ResidualMatrix),
            ];
            foreach (var weight in parts.SelectMany(part => part))
            {
                yield return weight;
            }
        }

        foreach (var weight in Norm(names.Trunk + names.FinalNorm))
        {
            yield return weight;
        }

        if (!config.TiedHead)
        {
            yield return new(Head(config), WeightRole.Matrix, [V, C]);
            if (architecture.HeadBias)
            {
                yield return new(HeadBias(config), WeightRole.Bias, [V]);
            }
        }

        IEnumerable<DecoderWeight> Norm(string name)
        {
            yield return new(name + ".weight", WeightRole.Norm, [C]);
            if (!architecture.RootMeanSquareNorm)
            {
                yield return new(name + ".bias", WeightRole.Bias, [C]);
            }
        }

        IEnumerable<DecoderWeight> Linear(string name, long input, long output, bool bias, WeightRole role = WeightRole.Matrix)
        {
            yield return new(name + ".weight", role, architecture.InputMajor ? [input, output] : [output, input]);
            if (bias)
            {
                yield return new(name + ".bias", WeightRole.Bias, [output]);
            }
        }
    }

    public static string TokenEmbedding(DecoderConfig config) =>
        $"{config.Architecture.Weights.Trunk}{config.Architecture.Weights.Tokens}.weight";

    public static string? PositionEmbedding(DecoderConfig config) =>
        config.Architecture.Weights is { Positions: { } positions } names ? $"{names.Trunk}{positions}.weight" : null;

    public static string Block(DecoderConfig config, int layer) =>
        $"{config.Architecture.Weights.Trunk}{config.Architecture.Weights.Blocks}.{layer}.";

    public static string Head(DecoderConfig config) => $"{config.Architecture.Weights.Head}.weight";

    /// <summary>The weights with a row for each token, also those that the model lacks.</summary>
    public static IEnumerable<string> ByToken(DecoderConfig config) => [TokenEmbedding(config), Head(config), HeadBias(config)];

    public static string HeadBias(DecoderConfig config) => $"{config.Architecture.Weights.Head}.bias";
}
