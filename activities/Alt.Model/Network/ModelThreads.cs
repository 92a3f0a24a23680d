using Alt.Model.Native;
using TorchSharp;

namespace Alt.Model.Network;

/// <summary>
/// How many threads libtorch's own operators use: one. What takes long is computed by our kernels, which share it among all cores
/// (<see cref="Products.Cores"/>); what is left to libtorch is short.
/// </summary>
/// <remarks>
/// libtorch splits sums by the number of its threads, so that number is part of a run's result: it is the same on every machine, whatever
/// its cores. One of its thread pools (MKL's) has one number for the whole process, so that all work in a process needs the same.
/// </remarks>
internal static class ModelThreads
{
    /// <summary>For the calling thread: OpenMP keeps the number per thread, so code that starts work calls this.</summary>
    public static void Apply()
    {
        TorchLibrary.Require();
        HeapMemory.Keep();
        torch.set_num_threads(1);
    }
}
