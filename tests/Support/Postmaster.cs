using System.Diagnostics;
using System.Globalization;

namespace Alt.Tests;

/// <summary>The main process of a home's PostgreSQL.</summary>
public static class Postmaster
{
    /// <returns>null if it does not run.</returns>
    public static int? ProcessIdOf(string home)
    {
        var file = Path.Combine(home, "pg", "data", "postmaster.pid");
        if (!File.Exists(file))
        {
            return null;
        }

        var id = int.Parse(File.ReadLines(file).First(), CultureInfo.InvariantCulture);
        return Array.Exists(Process.GetProcesses(), p => p.Id == id) ? id : null;
    }
}
