using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Alt.Model.Products;

/// <summary>What our functions share in libtorch's backward pass through a graph, on the thread that called for it.</summary>
internal static class BackwardPass
{
    // The last gradient that libtorch was given. It holds it by itself when it asks for the next, long before the scope of the step ends.
    [ThreadStatic]
    private static Tensor? _given;

    [ThreadStatic]
    private static ExceptionDispatchInfo? _failure;

    /// <summary>Computes the gradient of a function's input, in a scope of its own.</summary>
    /// <param name="gradient">Of the function's output; it is disposed.</param>
    /// <param name="differentiate">Gets it contiguous; null is no gradient.</param>
    /// <returns>To be given to libtorch before the next call.</returns>
    public static Tensor? Give(Tensor gradient, Func<Tensor, Tensor?> differentiate)
    {
        _given?.Dispose();
        _given = null;
        try
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            _given = _failure is null ? differentiate(gradient.contiguous())?.MoveToOuterDisposeScope() : null;
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
        }

        gradient.Dispose();
        return _given;
    }

    /// <summary>To be called after a backward pass: throws the exception that ended it, which cannot cross libtorch's frames.</summary>
    public static void ThrowFailure()
    {
        var failure = _failure;
        _failure = null;
        failure?.Throw();
    }
}
