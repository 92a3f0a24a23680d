using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Alt.Domain;
using TorchSharp;

namespace Alt.Model.Native;

/// <summary>
/// Loads libtorch through TorchSharp. Where the C++ runtime lacks what TorchSharp's library asks for (Debian 12, Ubuntu 22.04), an
/// <see cref="OlderRuntime"/> copy of it is loaded instead, from memory; elsewhere the package's own file is.
/// </summary>
public static class TorchLibrary
{
    private const string Name = "LibTorchSharp", File = "libLibTorchSharp.so";

    // What the library needs itself, in the order in which each finds the ones before it.
    private static readonly string[] Needed = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];

    private static readonly Lazy<string?> Fault = new(FindFault);

    private static string? _refusal;

    /// <summary>Whether the copy for older C++ runtimes is in use; false before anything of libtorch was.</summary>
    public static bool IsAdapted { get; private set; }

    /// <summary>In one line why the native libraries cannot be loaded, and what to do; null where they can.</summary>
    public static string? Problem =>
        Fault.Value is { } fault
            ? $"libtorch cannot be loaded: {fault}; remove .alt/app and repeat the command, which restores its packages"
            : null;

    /// <summary>Loads the native libraries unless they are loaded.</summary>
    /// <exception cref="InputException">A library is missing or cannot be loaded.</exception>
    public static void Require()
    {
        if (Problem is { } problem)
        {
            throw new InputException(problem);
        }
    }

    // Here, since any use of a tensor may be the first.
    [ModuleInitializer]
    [SuppressMessage(
        "Usage", "CA2255", Justification = "The library's loading is this assembly's to prepare, whatever program it is part of.")]
    internal static void Prepare() =>
        // Asked only when the package's own file was not found or not loaded.
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => name == Name ? LoadAdapted() : 0;

    // TorchSharp would print a page about it to standard output, and a library that is cut off would end the process.
    private static string? FindFault()
    {
        try
        {
            foreach (var file in OperatingSystem.IsLinux() ? [.. Needed, File] : Array.Empty<string>())
            {
                ElfFile.RequireWhole(Find(file));
            }

            if (!NativeLibrary.TryLoad(Name, typeof(torch).Assembly, null, out _))
            {
                return _refusal ?? $"{File} is not for this machine";
            }

            torch.InitializeDeviceType(DeviceType.CPU);
            return null;
        }
        catch (Exception e) when (e is IOException or BadImageFormatException
            or NotSupportedException or TypeInitializationException or DllNotFoundException)
        {
            return e.GetBaseException().Message.Split('\n')[0];
        }
    }

    private static nint LoadAdapted()
    {
        try
        {
            foreach (var needed in Needed)
            {
                NativeLibrary.Load(Find(needed));
            }

            using var copy = new MemoryFile(File, OlderRuntime.Adapt(new ElfFile(System.IO.File.ReadAllBytes(Find(File)))));
            var library = NativeLibrary.Load(copy.Path);
            IsAdapted = true;
            return library;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DllNotFoundException or BadImageFormatException)
        {
            _refusal = e.Message.Split('\n')[0];
            return 0;
        }
    }

    private static string Find(string file)
    {
        var folders = ((string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(System.IO.File.Exists)
            ?? throw new FileNotFoundException($"{file} is missing");
    }
}
