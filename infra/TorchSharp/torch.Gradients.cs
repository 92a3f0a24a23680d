using TorchSharp.PInvoke;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Operators record nothing for a backward pass on this thread until the result is disposed.</summary>
    public static IDisposable no_grad() => new GradientMode(enabled: false);

    /// <summary>Operators record for a backward pass again, inside a <see cref="no_grad"/>.</summary>
    public static IDisposable enable_grad(bool enabled = true) => new GradientMode(enabled);

    public static bool is_grad_enabled() => NativeMethods.alt_grad_enabled() != 0;

    /// <summary>How many threads libtorch's own operators use; OpenBLAS has its own.</summary>
    public static int get_num_threads() => NativeMethods.alt_get_num_threads();

    public static void set_num_threads(int num) => NativeMethods.Check(NativeMethods.alt_set_num_threads(num));

    private sealed class GradientMode : IDisposable
    {
        private readonly bool _before = is_grad_enabled();

        internal GradientMode(bool enabled) => NativeMethods.alt_set_grad_enabled(enabled ? 1 : 0);

        public void Dispose() => NativeMethods.alt_set_grad_enabled(_before ? 1 : 0);
    }
}
