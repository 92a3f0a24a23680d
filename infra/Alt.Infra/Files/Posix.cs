using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Alt.Infra;

/// <summary>The few calls of the operating system that .NET does not offer.</summary>
internal static class Posix
{
    private const int OpenReadWrite = 2;
    private const int OpenOrCreate = 0x40;
    private const int OpenDirectory = 0x10000;
    private const int CloseOnExec = 0x80000;
    private const int LockShared = 1;
    private const int LockExclusive = 2;
    private const int LockWithoutWaiting = 4;
    private const int WouldBlock = 11;

    public static bool IsRoot => GetEffectiveUserId() == 0;

    /// <summary>Makes the names in a directory durable: without this, a power failure may undo a rename that has returned.</summary>
    public static void SyncDirectory(string path)
    {
        var descriptor = Open(path, OpenDirectory | CloseOnExec, 0);
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

    /// <summary>Opens a file to lock it. .NET's own opening would lock it already.</summary>
    public static SafeFileHandle OpenToLock(string path)
    {
        const int EverybodyMayRead = 0x1a4; // 0644
        var descriptor = Open(path, OpenReadWrite | OpenOrCreate | CloseOnExec, EverybodyMayRead);
        return descriptor < 0 ? throw Failure($"cannot open {path}") : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Takes an advisory lock if no process holds one that excludes it.</summary>
    public static bool TryLock(SafeFileHandle file, bool exclusive)
    {
        if (Lock(file, (exclusive ? LockExclusive : LockShared) | LockWithoutWaiting) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == WouldBlock ? false : throw Failure("cannot lock a file");
    }

    public static void ChangeOwner(string path, uint user, uint group)
    {
        if (Chown(path, user, group) < 0)
        {
            throw Failure($"cannot give {path} to user {user}");
        }
    }

    /// <summary>Writes a file that only its owner can read, whole or not at all.</summary>
    public static void WriteSecret(string path, string text)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("A private PostgreSQL cluster needs Linux.");
        }

        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite
        };
        using (var writer = new StreamWriter(temporary, options))
        {
            writer.Write(text);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private static IOException Failure(string what)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {new Win32Exception(error).Message}");
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, int mode);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int FSync(int descriptor);

    [DllImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static extern int Lock(SafeFileHandle file, int operation);

    [DllImport("libc", EntryPoint = "chown", SetLastError = true)]
    private static extern int Chown([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint user, uint group);

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern uint GetEffectiveUserId();

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int Close(int descriptor);
}
