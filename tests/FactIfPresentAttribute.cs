namespace Alt.Tests;

/// <summary>What a test may need beyond the checkout.</summary>
[Flags]
public enum Needs
{
    /// <summary>The folder of real inputs, which the project does not ship.</summary>
    SharedData = 1,

    /// <summary>Node.js with npm. On a build server, where it belongs to the set-up, its absence fails the test instead.</summary>
    Npm = 2,
}

/// <summary>A fact that is skipped, with the reason, where this machine lacks what it needs.</summary>
public sealed class FactIfPresentAttribute : FactAttribute
{
    public FactIfPresentAttribute(Needs needs)
    {
        Skip = needs.HasFlag(Needs.SharedData) && SharedData.Folder is null ? "Needs the real inputs: set ALT_SHARED_DATA, or put shared/data beside the checkout."
            : needs.HasFlag(Needs.Npm) && !IsOnPath("npm") && Environment.GetEnvironmentVariable("CI") is null or "" ? "Needs npm on the PATH."
            : null;
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
