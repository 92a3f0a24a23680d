using System.Globalization;
using System.Runtime.InteropServices;

namespace Alt.Tests.Model;

/// <summary>The most memory that the whole process held at a time, as Linux counts it.</summary>
internal static class MemoryPeak
{
    // A write there resets the peak.
    private const string ResetPeak = "5";

    public static long Bytes => Status("VmHWM:");

    /// <summary>Restarts the count from what is held now; what was freed is given back first.</summary>
    /// <returns>What is held now.</returns>
    public static long Restart()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _ = malloc_trim(0);
        File.WriteAllText("/proc/self/clear_refs", ResetPeak);
        return Status("VmRSS:");
    }

    private static long Status(string name)
    {
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    [DllImport("libc")]
    private static extern int malloc_trim(nint pad);
}
