using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Alt.Infra;

/// <summary>The few calls of the operating system that .NET does not offer.</summary>
internal static class Posix
{
    private const int OpenDirectory = 0x10000;
    private const int CloseOnExec = 0x80000;

    /// <summary>Makes the names in a directory durable: without this, a power cut may forget a rename that has returned.</summary>
    public static void SyncDirectory(string path)
    {
        int descriptor = Open(path, OpenDirectory | CloseOnExec);
        if (descriptor < 0)
        {
            throw Failure($"cannot open the directory {path}");
        }

        try
        {
            if (FSync(descriptor) < 0)
            {
                throw Failure($"cannot sync the directory {path}");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failure(string what)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {new Win32Exception(error).Message}");
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int FSync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int Close(int descriptor);
}
