using Microsoft.Win32.SafeHandles;

namespace Alt.Infra;

/// <summary>
/// An advisory lock on a file (flock): held by one process exclusively or by many together. The kernel drops it when its holder
/// ends, however it ends, so a <c>kill -9</c> never leaves one behind.
/// </summary>
public sealed class FileLock : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly SafeFileHandle _file;

    private FileLock(SafeFileHandle file) => _file = file;

    public static async Task<FileLock> TakeAsync(string path, bool exclusive, CancellationToken token)
    {
        while (true)
        {
            if (TryTake(path, exclusive) is { } taken)
            {
                return taken;
            }

            await Task.Delay(Pause, token);
        }
    }

    /// <summary>The lock, or null if others hold it in a way that excludes this one.</summary>
    public static FileLock? TryTake(string path, bool exclusive)
    {
        var file = Posix.OpenToLock(path);
        if (Posix.TryLock(file, exclusive))
        {
            return new FileLock(file);
        }

        file.Dispose();
        return null;
    }

    public void Dispose() => _file.Dispose();
}
