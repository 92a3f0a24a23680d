using Alt.Activities.Model.Native;
using TorchSharp;

namespace Alt.Activities.Model;

/// <summary>
/// How many threads libtorch's own operators use: one. Matrix products, nine tenths of the work, run on OpenBLAS's threads, one per core
/// (<c>OPENBLAS_NUM_THREADS</c> to change); a second pool beside them more often takes their cores than it helps.
/// </summary>
/// <remarks>
/// The number is part of a run's result, since sums are split by it; so it is fixed, and the same on every machine. OpenBLAS splits sums otherwise
/// with one thread only, so it has two at least.
/// </remarks>
internal static class ModelThreads
{
    /// <summary>For the calling thread: OpenMP keeps the number per thread, so whatever starts work calls this.</summary>
    public static void Apply()
    {
        TorchLibrary.Require();
        torch.set_num_threads(1);
    }
}
