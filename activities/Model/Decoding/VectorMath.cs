using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Alt.Activities.Model.Decoding;

/// <summary>Activations of sixteen numbers at once.</summary>
internal static class VectorMath
{
    // The coefficients of Abramowitz and Stegun 7.1.26: the error function within 1.5e-7.
    private const float P = 0.3275911f, A1 = 0.254829592f, A2 = -0.284496736f, A3 = 1.421413741f, A4 = -1.453152027f, A5 = 1.061405429f;

    /// <summary><c>x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))</c>, as x times a logistic function.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> GeluTanh(Vector512<float> x) => x * Logistic(1.5957691f * (x + 0.044715f * x * x * x));

    /// <summary><c>x / 2 * (1 + erf(x / sqrt(2)))</c></summary>
    public static Vector512<float> Gelu(Vector512<float> x)
    {
        var z = Vector512.Abs(x) * 0.70710677f;
        var t = Vector512<float>.One / (Vector512<float>.One + P * z);
        var polynomial = ((((A5 * t + Vector512.Create(A4)) * t + Vector512.Create(A3)) * t + Vector512.Create(A2)) * t + Vector512.Create(A1)) * t;
        var erf = Vector512.CopySign(Vector512<float>.One - polynomial * Vector512.Exp(-z * z), x);
        return 0.5f * x * (Vector512<float>.One + erf);
    }

    /// <summary><c>x / (1 + exp(-x))</c></summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Silu(Vector512<float> x) => x * Logistic(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Logistic(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Vector512.Exp(-x));
}
