using System.Runtime.InteropServices;

namespace TorchSharp.PInvoke;

/// <summary>The exported functions of native/alt_torch.cpp, in its order.</summary>
internal static partial class NativeMethods
{
    private const string Library = "alt_torch";

    /// <remarks>
    /// Both libraries read the environment once, when they are loaded, and .NET's own environment is not the process's: hence setenv.
    /// Idle OpenMP threads that spin take the cores from OpenBLAS's threads, which more than halves the speed on two cores.
    /// OpenBLAS's own idle threads would spin for some 25 ms; 2^14 cycles are enough to wait for the next product.
    /// What the user has set is left alone.
    /// </remarks>
    static NativeMethods()
    {
        setenv("OMP_WAIT_POLICY", "passive", overwrite: 0);
        setenv("OPENBLAS_THREAD_TIMEOUT", "14", overwrite: 0);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);

    [LibraryImport(Library)]
    internal static partial nint alt_last_error();

    [LibraryImport(Library)]
    internal static partial long alt_live_tensors();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint alt_operator(string name, string overload, int required);

    [LibraryImport(Library)]
    internal static unsafe partial int alt_call(nint op, NativeArgument* arguments, int count, NativeArgument* results, int capacity);

    [LibraryImport(Library)]
    internal static partial void alt_tensor_free(nint tensor);

    [LibraryImport(Library)]
    internal static partial int alt_tensor_info(nint tensor, out TensorInfo info);

    [LibraryImport(Library)]
    internal static unsafe partial int alt_tensor_sizes(nint tensor, long* sizes, long* strides);

    [LibraryImport(Library)]
    internal static partial int alt_tensor_set_requires_grad(nint tensor, int value);

    [LibraryImport(Library)]
    internal static partial nint alt_tensor_grad(nint tensor);

    [LibraryImport(Library)]
    internal static partial int alt_tensor_set_grad(nint tensor, nint gradient);

    [LibraryImport(Library)]
    internal static partial int alt_backward(nint tensor, nint gradient, int retainGraph, int createGraph);

    [LibraryImport(Library)]
    internal static partial int alt_grad_enabled();

    [LibraryImport(Library)]
    internal static partial void alt_set_grad_enabled(int enabled);

    [LibraryImport(Library)]
    internal static partial int alt_get_num_threads();

    [LibraryImport(Library)]
    internal static partial int alt_set_num_threads(int threads);

    [LibraryImport(Library)]
    internal static partial int alt_cuda_is_available();

    /// <summary>Throws what libtorch said about the call that just failed.</summary>
    internal static Exception LastError() => new ExternalException(Marshal.PtrToStringUTF8(alt_last_error()));

    /// <exception cref="ExternalException">The result of a call is negative.</exception>
    internal static void Check(int result)
    {
        if (result < 0)
        {
            throw LastError();
        }
    }
}
