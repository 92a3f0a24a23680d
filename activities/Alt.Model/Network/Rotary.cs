using static TorchSharp.torch;

namespace Alt.Model.Network;

/// <summary>
/// Rotary position embedding (arXiv 2104.09864): each pair of elements of a query or key is turned by an angle proportional to its
/// position.
/// </summary>
/// <param name="Width">r, how many elements of a head are turned, from the first on; even.</param>
/// <param name="Base">The pairs' wavelengths grow from 2 pi to 2 pi times this.</param>
/// <param name="Scaling">How a longer context than the first training's is reached; null where it is not.</param>
public sealed record Rotary(int Width, double Base, RotaryScaling? Scaling)
{
    /// <summary>The angle by which one position turns each pair (r / 2).</summary>
    private float[] Frequencies()
    {
        var frequencies = new float[Width / 2];
        for (var i = 0; i < frequencies.Length; i++)
        {
            var frequency = (float)(1 / Math.Pow(Base, 2.0 * i / Width));
            frequencies[i] = Scaling?.Of(frequency) ?? frequency;
        }

        return frequencies;
    }

    /// <summary>Cosine and sine of each position's angles (P, r / 2).</summary>
    internal (float[] Cosines, float[] Sines) Table(int positions)
    {
        var frequencies = Frequencies();
        var (cosines, sines) = (new float[positions * frequencies.Length], new float[positions * frequencies.Length]);
        for (var i = 0; i < cosines.Length; i++)
        {
            var (sine, cosine) = Math.SinCos(i / frequencies.Length * frequencies[i % frequencies.Length]);
            (cosines[i], sines[i]) = ((float)cosine, (float)sine);
        }

        return (cosines, sines);
    }
}

/// <summary>Slower turning for longer contexts.</summary>
/// <param name="Factor">How much slower, for wavelengths beyond the low-frequency limit.</param>
/// <param name="Band">Llama 3.1's limits; null where every frequency is divided ("linear", arXiv 2306.15595).</param>
public sealed record RotaryScaling(double Factor, RotaryBand? Band)
{
    internal float Of(float frequency)
    {
        var slow = frequency / Factor;
        if (Band is null)
        {
            return (float)slow;
        }

        // How often a pair turns within the first training's context.
        var turns = Band.Context * frequency / (2 * Math.PI);
        var share = Math.Clamp((turns - Band.LowFactor) / (Band.HighFactor - Band.LowFactor), 0, 1);
        return (float)((1 - share) * slow + share * frequency);
    }
}

/// <summary>Between these two numbers of turns within the first training's context the slowing fades out.</summary>
/// <param name="Context">The first training's longest sequence in tokens.</param>
public sealed record RotaryBand(double LowFactor, double HighFactor, int Context);

/// <summary>Sines and cosines of the positions met so far.</summary>
/// <remarks>Axes: B sequences, T positions, H heads, D elements of a head, r elements of them that are turned.</remarks>
internal sealed class RotaryTables(Rotary rotary, bool interleaved, Device device) : IDisposable
{
    private Tensor? _cosines, _sines;       // (P, r / 2)

    /// <summary>The rows of the first T positions (T, r / 2).</summary>
    public (Tensor Cosines, Tensor Sines) First(long T)
    {
        Grow(T);
        return (_cosines!.narrow(0, 0, T), _sines!.narrow(0, 0, T));
    }

    /// <summary>The rows of some positions (A, r / 2).</summary>
    public (Tensor Cosines, Tensor Sines) At(Tensor positions, long highest)
    {
        Grow(highest + 1);
        return (_cosines!.index_select(0, positions), _sines!.index_select(0, positions));
    }

    /// <param name="x">Queries or keys (B, T, H, D).</param>
    /// <param name="rows">The positions' rows (T, r / 2); where T is 1, those of each sequence (B, r / 2).</param>
    /// <returns>(B, T, H, D)</returns>
    public Tensor Turn(Tensor x, (Tensor Cosines, Tensor Sines) rows)
    {
        var (B, T, H, D) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3]);
        long r = rotary.Width;
        var cosines = Spread(
            rows.Cosines);                                                                 // (1, T, 1, r / 2) or (B, 1, 1, r / 2)
        var sines = Spread(rows.Sines);
        var turned = x.narrow(3, 0, r);                                                                     // (B, T, H, r)
        var pairs = interleaved ? turned.view(B, T, H, r / 2, 2) : turned.view(B, T, H, 2, r / 2);
        var axis = interleaved ? 4 : 3;
        var (a, b) = (pairs.select(axis, 0), pairs.select(axis, 1));                                        // (B, T, H, r / 2) each
        var result = stack([a * cosines - b * sines, b * cosines + a * sines], axis).view(B, T, H, r);      // (B, T, H, r)
        return r == D ? result : cat([result, x.narrow(3, r, D - r)], 3);

        Tensor Spread(Tensor table) => (T == 1 ? table.unsqueeze(1) : table.unsqueeze(0)).unsqueeze(2).to(x.dtype);
    }

    public void Dispose()
    {
        _cosines?.Dispose();
        _sines?.Dispose();
    }

    private void Grow(long positions)
    {
        var known = _cosines?.shape[0] ?? 0;
        if (positions <= known)
        {
            return;
        }

        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var size = Math.Max(positions, 2 * known);
        var (cosines, sines) = rotary.Table(checked((int)size));
        Dispose();
        _cosines = tensor(cosines).view(size, -1).to(device).DetachFromDisposeScope();                      // (P, r / 2)
        _sines = tensor(sines).view(size, -1).to(device).DetachFromDisposeScope();                          // (P, r / 2)
    }
}
