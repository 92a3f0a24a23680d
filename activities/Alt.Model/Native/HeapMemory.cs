using System.Runtime.InteropServices;

namespace Alt.Model.Native;

/// <summary>
/// Lets the C library keep the memory of freed tensors for the next ones. By itself it gives large blocks back to Linux at every free, so
/// that each step of a training waits for the same hundreds of megabytes to be cleared again.
/// </summary>
internal static class HeapMemory
{
    // glibc's M_MMAP_MAX (no block is a mapping of its own) and M_TRIM_THRESHOLD (so much stays at the heap's end).
    private const int MappedBlocks = -4, KeptBytes = -1;

    private static readonly Lazy<bool> Kept = new(() => mallopt(MappedBlocks, 0) == 1 && mallopt(KeptBytes, int.MaxValue) == 1);

    /// <returns>Whether the C library does so; it is asked once.</returns>
    public static bool Keep() => Kept.Value;

    [DllImport("libc")]
    private static extern int mallopt(int parameter, int value);
}
