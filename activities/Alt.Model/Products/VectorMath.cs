using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Alt.Model.Products;

/// <summary>Functions of sixteen numbers at once; the same bits on every machine.</summary>
internal static class VectorMath
{
    // The coefficients of Abramowitz and Stegun 7.1.26: the error function within 1.5e-7.
    private const float P = 0.3275911f, A1 = 0.254829592f, A2 = -0.284496736f, A3 = 1.421413741f, A4 = -1.453152027f, A5 = 1.061405429f;

    // The exponential on half of ln 2 to each side of 0 as 1 + r + r^2 (C2 + ... + C6 r^4): the least largest relative error, 3.1e-9.
    private const float C2 = 0.49999994f, C3 = 0.16666521f, C4 = 0.04166839f, C5 = 0.008368745f, C6 = 0.0013814541f;

    // ln 2 in two parts, the first with so few bits that its multiples are exact.
    private const float Log2E = 1.442695f, Ln2High = 0.693359375f, Ln2Low = -2.12194440e-4f;

    // A number of this size has no fraction: adding it rounds, and what was added to it stands in its last bits.
    private const float Rounder = 12_582_912f;

    /// <summary><c>e^x</c> within 1 unit in the last place; 0 where that is below the least normal number.</summary>
    /// <remarks>.NET's own computes in double precision, which takes several times as long.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        var shifted = Vector512.FusedMultiplyAdd(x, Vector512.Create(Log2E), Vector512.Create(Rounder));
        var n = shifted - Vector512.Create(Rounder);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2Low), Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2High), x));
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(C6), r, Vector512.Create(C5));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(C4));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(C3));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(C2));
        p = Vector512.FusedMultiplyAdd(p * r, r, r) + Vector512<float>.One;
        // Times 2^n, by adding n to the exponent.
        var result = (p.AsInt32() + (shifted.AsInt32() << 23)).AsSingle();
        result = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(-87.3365f)), Vector512<float>.Zero, result);
        return Vector512.ConditionalSelect(
            Vector512.GreaterThan(x, Vector512.Create(88.7228f)), Vector512.Create(float.PositiveInfinity), result);
    }

    /// <summary>The largest of the sixteen.</summary>
    public static float Max(Vector512<float> x)
    {
        var half = Vector256.Max(x.GetLower(), x.GetUpper());
        var quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        return MathF.Max(MathF.Max(quarter[0], quarter[1]), MathF.Max(quarter[2], quarter[3]));
    }

    /// <summary><c>x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))</c>, as x times a logistic function.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> GeluTanh(Vector512<float> x) => x * Logistic(1.5957691f * (x + 0.044715f * x * x * x));

    /// <summary><c>x / 2 * (1 + erf(x / sqrt(2)))</c></summary>
    public static Vector512<float> Gelu(Vector512<float> x) => 0.5f * x * (Vector512<float>.One + Erf(x * 0.70710677f));

    /// <summary>The derivative of <see cref="GeluTanh"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> GeluTanhSlope(Vector512<float> x)
    {
        // By the smaller of the logistic function and its complement, whose product loses no digits that way.
        var z = 1.5957691f * (x + 0.044715f * x * x * x);
        var smaller = Exp(-Vector512.Abs(z));
        var larger = Vector512<float>.One / (Vector512<float>.One + smaller);
        smaller *= larger;
        return Vector512.ConditionalSelect(Vector512.LessThan(z, Vector512<float>.Zero), smaller, larger)
            + x * smaller * larger * (Vector512.Create(1.5957691f) + 0.21406882f * x * x);
    }

    /// <summary>The derivative of <see cref="Gelu"/>: the normal distribution's function, and x times its density.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> GeluSlope(Vector512<float> x) =>
        0.5f * (Vector512<float>.One + Erf(x * 0.70710677f)) + 0.3989423f * x * Exp(-0.5f * x * x);

    /// <summary><c>x / (1 + exp(-x))</c></summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Silu(Vector512<float> x) => x * Logistic(x);

    private static Vector512<float> Erf(Vector512<float> x)
    {
        var z = Vector512.Abs(x);
        var t = Vector512<float>.One / (Vector512<float>.One + P * z);
        var polynomial = ((((A5 * t + Vector512.Create(A4)) * t + Vector512.Create(A3)) * t + Vector512.Create(A2)) * t
            + Vector512.Create(A1)) * t;
        return Vector512.CopySign(Vector512<float>.One - polynomial * Exp(-z * z), x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Logistic(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Exp(-x));
}
