using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Alt.Model.Native;

/// <summary>A file in memory, for what loads from a path only. It is gone when it is disposed and nothing has it open or mapped.</summary>
internal sealed class MemoryFile : IDisposable
{
    private readonly SafeFileHandle _handle;

    /// <param name="name">What a debugger and <c>/proc/PID/maps</c> show.</param>
    /// <exception cref="IOException">There is no such file on this system, or no memory for it.</exception>
    public MemoryFile(string name, ReadOnlySpan<byte> content)
    {
        var descriptor = Create(name, 0);
        if (descriptor < 0)
        {
            throw new IOException($"no file in memory for {name}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }

        _handle = new SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.Write(_handle, content, 0);
        Path = $"/proc/self/fd/{descriptor}";
    }

    public string Path { get; }

    public void Dispose() => _handle.Dispose();

    [DllImport(
        "libc", EntryPoint = "memfd_create", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false,
        ThrowOnUnmappableChar = true)]
    private static extern int Create(string name, uint flags);
}
