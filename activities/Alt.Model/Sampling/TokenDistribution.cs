using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Alt.Domain;
using Alt.Model.Products;

namespace Alt.Model.Sampling;

/// <summary>
/// Draws a token from logits: temperature, bans, top-k and top-p, then inversion of the cumulative distribution in the order of the ids.
/// The same logits and the same uniform always give the same token.
/// </summary>
internal sealed class TokenDistribution
{
    private const int BlockLength = 256;

    // A weight's bucket is its exponent and the top four bits of its fraction: weights are at most 1, so there are 127 * 16 + 1.
    private const int BucketShift = 19;
    private const int Buckets = (127 << 4) + 1;

    private readonly SamplingOptions _options;
    private readonly int[] _banned;
    private readonly float[] _weights;
    private readonly double[] _blocks;
    private readonly double[] _bucketWeight = new double[Buckets];
    private readonly int[] _bucketCount = new int[Buckets];
    private readonly List<(float Weight, int Id)> _crossing = [];

    public TokenDistribution(SamplingOptions options, int vocabulary)
    {
        _options = options;
        _banned = [.. options.BannedTokens];
        // Whole blocks, so that no loop has a remainder to handle.
        _blocks = new double[(vocabulary + BlockLength - 1) / BlockLength];
        _weights = new float[_blocks.Length * BlockLength];
    }

    /// <param name="logits">Next-token logits (V).</param>
    /// <param name="banned">Tokens that cannot be drawn this time, beside the options' own.</param>
    /// <param name="uniform">In [0, 1).</param>
    /// <returns>The token, and the logarithm of its probability under the distribution that it was drawn from.</returns>
    public (int Token, float LogProb) Draw(ReadOnlySpan<float> logits, ReadOnlySpan<int> banned, double uniform)
    {
        logits.CopyTo(_weights);
        _weights.AsSpan(logits.Length).Fill(float.NegativeInfinity);
        foreach (var token in _banned)
        {
            _weights[token] = float.NegativeInfinity;
        }

        foreach (var token in banned)
        {
            _weights[token] = float.NegativeInfinity;
        }

        Exponentiate();
        if (_options.TopK > 0 && _options.TopK < logits.Length)
        {
            KeepMostLikely(_options.TopK, double.PositiveInfinity);
        }

        if (_options.TopP < 1)
        {
            KeepMostLikely(int.MaxValue, _options.TopP * Total());
        }

        return Invert(uniform);
    }

    // Logits become exp((logit - maximum) / temperature): weights from 0 to 1.
    private void Exponentiate()
    {
        var vectors = MemoryMarshal.Cast<float, Vector512<float>>(_weights.AsSpan());
        var maxima = vectors[0];
        foreach (var vector in vectors)
        {
            maxima = Vector512.Max(maxima, vector);
        }

        var maximum = VectorMath.Max(maxima);
        if (!float.IsFinite(maximum))
        {
            throw new InvalidOperationException($"no token can be drawn: the largest logit is {maximum}");
        }

        var inverse = (float)Math.Min(1 / _options.Temperature, float.MaxValue);
        for (var i = 0; i < vectors.Length; i++)
        {
            vectors[i] = VectorMath.Exp((vectors[i] - Vector512.Create(maximum)) * inverse);
        }

        SumBlocks();
    }

    private void SumBlocks()
    {
        for (var block = 0; block < _blocks.Length; block++)
        {
            var sum = Vector512<float>.Zero;
            foreach (var vector in MemoryMarshal.Cast<float, Vector512<float>>(_weights.AsSpan(block * BlockLength, BlockLength)))
            {
                sum += vector;
            }

            _blocks[block] = Vector512.Sum(sum);
        }
    }

    private double Total()
    {
        var total = 0.0;
        foreach (var block in _blocks)
        {
            total += block;
        }

        return total;
    }

    // Keeps the most likely tokens until there are `count` of them or until they reach `weight`; of equal ones those of the lower ids.
    // Buckets by size find where the limit falls in one pass, so that only the few tokens of one bucket need sorting.
    private void KeepMostLikely(int count, double weight)
    {
        Array.Clear(_bucketWeight);
        Array.Clear(_bucketCount);
        foreach (var w in _weights)
        {
            var bucket = BitConverter.SingleToInt32Bits(w) >> BucketShift;
            _bucketWeight[bucket] += w;
            _bucketCount[bucket]++;
        }

        var crossing = Buckets - 1;
        while (crossing > 0 && _bucketCount[crossing] < count && _bucketWeight[crossing] < weight)
        {
            count -= _bucketCount[crossing];
            weight -= _bucketWeight[crossing];
            crossing--;
        }

        _crossing.Clear();
        for (var id = 0; id < _weights.Length; id++)
        {
            var bucket = BitConverter.SingleToInt32Bits(_weights[id]) >> BucketShift;
            if (bucket <= crossing)
            {
                if (bucket == crossing && _weights[id] > 0)
                {
                    _crossing.Add((_weights[id], id));
                }

                _weights[id] = 0;
            }
        }

        _crossing.Sort((left, right) => left.Weight != right.Weight ? right.Weight.CompareTo(left.Weight) : left.Id.CompareTo(right.Id));
        foreach (var (w, id) in _crossing)
        {
            if (count <= 0 || weight <= 0)
            {
                break;
            }

            _weights[id] = w;
            count--;
            weight -= w;
        }

        SumBlocks();
    }

    private (int Token, float LogProb) Invert(double uniform)
    {
        var total = Total();
        var target = uniform * total;
        var block = 0;
        while (block < _blocks.Length - 1 && target >= _blocks[block])
        {
            target -= _blocks[block++];
        }

        // Where rounding leaves the target beyond the last weight, the last token with any weight is taken.
        var token = -1;
        for (var id = block * BlockLength; id < _weights.Length && (token < 0 || target >= 0); id++)
        {
            if (_weights[id] > 0)
            {
                token = id;
                target -= _weights[id];
            }
        }

        if (token < 0)
        {
            token = Array.FindLastIndex(_weights, w => w > 0);
        }

        return (token, (float)Math.Log(_weights[token] / total));
    }
}
