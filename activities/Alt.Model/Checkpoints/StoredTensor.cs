using Alt.Domain;
using Alt.Model.Network;
using static TorchSharp.torch;

namespace Alt.Model.Checkpoints;

/// <summary>One tensor of a file.</summary>
/// <param name="Start">The byte of the file at which its first element stands.</param>
public sealed record StoredTensor(ScalarType Type, long[] Shape, long Start)
{
    // What libtorch's operators can step through.
    private const int MostDimensions = 64;

    /// <summary>Distance in elements to the next one of each dimension; null if the elements are in row order.</summary>
    public long[]? Strides { get; init; }

    /// <summary>How many elements there are from the first to the last one.</summary>
    /// <param name="strides">None below 0.</param>
    public static Int128 Span(long[] shape, long[] strides) =>
        shape.Contains(0)
            ? 0
            : shape.Zip(strides).Aggregate((Int128)1, (span, dimension) => span + (Int128)(dimension.First - 1) * dimension.Second);

    /// <summary>Whether elements with these strides are in row order.</summary>
    public static bool IsRowOrder(long[] shape, long[] strides)
    {
        var next = 1L;
        for (var i = shape.Length - 1; i >= 0 && !shape.Contains(0); i--)
        {
            if (shape[i] != 1 && strides[i] != next)
            {
                return false;
            }

            next *= shape[i];
        }

        return true;
    }

    /// <summary>How much memory a tensor takes.</summary>
    /// <exception cref="FormatException">There is no tensor of that shape.</exception>
    public static long Bytes(string name, ScalarType type, IReadOnlyCollection<long> shape)
    {
        if (shape.Count > MostDimensions || shape.Any(size => size < 0))
        {
            throw new FormatException(
                $"{InputException.Quote(name)} has no valid shape: {shape.Count} dimensions, the least {shape.Min()}; expected at most "
                + $"{MostDimensions}, and none below 0");
        }

        // The shape of an empty tensor must not overflow either.
        var bytes = shape.Where(size => size > 0)
            .Aggregate((Int128)ElementTypes.Size(type), (product, size) => product > long.MaxValue ? product : product * size);
        return bytes > long.MaxValue
            ? throw new FormatException($"{InputException.Quote(name)} has shape [{string.Join(", ", shape)}], more than any memory holds")
            : shape.Contains(0) ? 0 : (long)bytes;
    }
}
