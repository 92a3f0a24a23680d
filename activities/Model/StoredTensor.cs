using Alt.Domain;
using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>One tensor of a file.</summary>
/// <param name="Start">The byte of the file at which its first element stands.</param>
public sealed record StoredTensor(ScalarType Type, long[] Shape, long Start)
{
    // What libtorch's operators can step through.
    private const int MostDimensions = 64;

    /// <summary>How much memory a tensor takes.</summary>
    /// <exception cref="FormatException">There is no tensor of that shape.</exception>
    public static long Bytes(string name, ScalarType type, IReadOnlyCollection<long> shape)
    {
        if (shape.Count > MostDimensions || shape.Any(size => size < 0))
        {
            throw new FormatException($"{InputException.Quote(name)} has no valid shape: {shape.Count} dimensions, the least {shape.Min()}; expected at most {MostDimensions}, and none below 0");
        }

        // Also one that is empty must not have a shape that overflows.
        var bytes = shape.Where(size => size > 0).Aggregate((Int128)ElementTypes.Size(type), (product, size) => product > long.MaxValue ? product : product * size);
        return bytes > long.MaxValue
            ? throw new FormatException($"{InputException.Quote(name)} has shape [{string.Join(", ", shape)}], more than any memory holds")
            : shape.Contains(0) ? 0 : (long)bytes;
    }
}
