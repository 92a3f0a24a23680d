using System.Diagnostics;

namespace Alt.Tests;

/// <summary>A real file system of a few kilobytes, mounted for one test, so that the disk really is full.</summary>
internal sealed class TinyDisk : IDisposable
{
    public TinyDisk(string path, int kibibytes)
    {
        Path = path;
        Directory.CreateDirectory(path);
        var error = Mount(path, kibibytes);
        Assert.True(error is null, error);
    }

    public string Path { get; }

    public void Dispose() => Run("umount", Path);

    private static string? Mount(string path, int kibibytes) => Run("mount", "-t", "tmpfs", "-o", $"size={kibibytes}k", "tmpfs", path);

    private static string? Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : $"{command} {string.Join(' ', arguments)}: {error}";
    }

    /// <summary>A test that needs the right to mount a file system, and is skipped if it is denied.</summary>
    public sealed class FactAttribute : Xunit.FactAttribute
    {
        private static readonly Lazy<string?> Refusal = new(() =>
        {
            var probe = Directory.CreateTempSubdirectory("alt-mount-").FullName;
            var refusal = Mount(probe, kibibytes: 16);
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
