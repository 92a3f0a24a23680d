using System.Runtime.InteropServices;

namespace Alt.Tests.Activities.Model;

/// <summary>The most memory that tensors of 16 KiB and more on the processor held at a time, in the whole process.</summary>
internal static class MemoryPeak
{
    public static long Bytes => alt_peak_bytes(restart: 0);

    /// <summary>Begins to count anew, from what is held now.</summary>
    /// <returns>What is held now.</returns>
    public static long Restart() => alt_peak_bytes(restart: 1);

    [DllImport("alt_torch")]
    private static extern long alt_peak_bytes(int restart);
}
