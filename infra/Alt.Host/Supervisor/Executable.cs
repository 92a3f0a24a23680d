namespace Alt.Host.Supervisor;

/// <summary>How a process starts another one of this executable.</summary>
internal static class Executable
{
    /// <summary>The runtime that runs this process, or the one on the PATH where something else loaded the assembly.</summary>
    public static string Dotnet { get; } =
        Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    public static string Assembly { get; } = typeof(Executable).Assembly.Location;
}
