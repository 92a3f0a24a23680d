using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Alt.Model.Native;

/// <summary>
/// Makes a shared library load where the C++ runtime is older than GLIBCXX_3.4.32. All that the library takes of that version is the
/// constructor of the standard streams, which libtorch's own libraries run as well; the copy asks for a function without arguments or
/// effect instead.
/// </summary>
internal static class OlderRuntime
{
    public const string Symbol = "_ZSt21ios_base_library_initv";

    private const string Version = "GLIBCXX_3.4.32", OtherSymbol = "_ZSt13get_terminatev", OtherVersion = "GLIBCXX_3.4.20";
    private const ushort Weak = 2;

    // Of a symbol; of a needed library's versions; of one version.
    private const int SymbolLength = 24, FirstAt = 8, NextAt = 12, FlagsAt = 4, IndexAt = 6, NameAt = 8, NextVersionAt = 12;

    /// <returns>The library's bytes, changed in place.</returns>
    /// <exception cref="BadImageFormatException">It needs something else of that version, or nothing.</exception>
    public static byte[] Adapt(ElfFile library)
    {
        try
        {
            var old = FindVersion(library, Version);
            var user = OnlyUser(library, ElfFile.Short(old, IndexAt));
            var name = library.Section(".dynstr")[ElfFile.Int(library.Section(".dynsym"), user * SymbolLength)..];
            if (ElfFile.Text(name) != Symbol)
            {
                throw new BadImageFormatException($"the library needs {ElfFile.Text(name)} of {Version}");
            }

            name[..Symbol.Length].Clear();
            Encoding.ASCII.GetBytes(OtherSymbol, name);
            BinaryPrimitives.WriteUInt16LittleEndian(
                library.Section(".gnu.version")[(2 * user)..], ElfFile.Short(FindVersion(library, OtherVersion), IndexAt));
            BinaryPrimitives.WriteUInt16LittleEndian(old[FlagsAt..], Weak);
            return library.Bytes;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new BadImageFormatException("the library's tables of symbols and versions do not fit together", e);
        }
    }

    private static int OnlyUser(ElfFile library, ushort version)
    {
        ReadOnlySpan<ushort> versions = MemoryMarshal.Cast<byte, ushort>(library.Section(".gnu.version"));
        var user = versions.IndexOf(version);
        return user >= 0 && versions[(user + 1)..].IndexOf(version) < 0
            ? user
            : throw new BadImageFormatException($"the library needs more of {Version} than one symbol");
    }

    // Lists in a list: the libraries that are needed, and the versions that each is asked for.
    private static Span<byte> FindVersion(ElfFile library, string version)
    {
        var names = library.Section(".dynstr");
        for (var needed = library.Section(".gnu.version_r"); ; needed = needed[ElfFile.Int(needed, NextAt)..])
        {
            for (var entry = needed[ElfFile.Int(needed, FirstAt)..]; ; entry = entry[ElfFile.Int(entry, NextVersionAt)..])
            {
                if (ElfFile.Text(names[ElfFile.Int(entry, NameAt)..]) == version)
                {
                    return entry;
                }

                if (ElfFile.Int(entry, NextVersionAt) == 0)
                {
                    break;
                }
            }

            if (ElfFile.Int(needed, NextAt) == 0)
            {
                throw new BadImageFormatException($"the library does not ask for {version}");
            }
        }
    }
}
