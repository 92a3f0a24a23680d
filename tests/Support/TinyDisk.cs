using System.Diagnostics;

namespace Alt.Tests;

/// <summary>A real file system of a few kilobytes, mounted for one test, so that the disk really is full.</summary>
internal sealed class TinyDisk : IDisposable
{
    public TinyDisk(string path, int kibibytes)
    {
        Path = path;
        Directory.CreateDirectory(path);
        string? error = Mount(path, kibibytes);
        Assert.True(error is null, error);
    }

    public string Path { get; }

    public void Dispose() => Run("umount", Path);

    private static string? Mount(string path, int kibibytes) => Run("mount", "-t", "tmpfs", "-o", $"size={kibibytes}k", "tmpfs", path);

    private static string? Run(string command, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : $"{command} {string.Join(' ', arguments)}: {error}";
    }

    /// <summary>A test that needs the right to mount a file system, and is skipped if it is denied.</summary>
    public sealed class FactAttribute : Xunit.FactAttribute
    {
        private static readonly Lazy<string?> Refusal = new(() =>
        {
            string probe = Directory.CreateTempSubdirectory("alt-mount-").FullName;
            string? refusal = Mount(probe, kibibytes: 16);
            if (refusal is null)
            {
                Run("umount", probe);
            }

            Directory.Delete(probe);
            return refusal;
        });

        public FactAttribute() => Skip = Refusal.Value;
    }
}
