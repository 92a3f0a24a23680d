using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Alt.Activities.Model.Native;

/// <summary>
/// Makes a shared library load where the C++ runtime is older than GLIBCXX_3.4.32. All that the library takes of that version is the
/// constructor of the standard streams, which libtorch's own libraries run as well; the copy asks for a function without arguments or effect instead.
/// </summary>
internal static class OlderRuntime
{
    private const string Symbol = "_ZSt21ios_base_library_initv", Version = "GLIBCXX_3.4.32";
    private const string OtherSymbol = "_ZSt13get_terminatev", OtherVersion = "GLIBCXX_3.4.20";
    private const ushort Weak = 2;

    // The layouts of ELF-64, little-endian: header, section header, symbol, needed version and its auxiliary entry.
    private const int SectionTableAt = 0x28, SectionSizeAt = 0x3A, SectionCountAt = 0x3C, SectionNamesAt = 0x3E;
    private const int SymbolLength = 24, NextAt = 12, AuxAt = 8, NameAt = 8, NextAuxAt = 12, FlagsAt = 4, IndexAt = 6;

    /// <returns>The library's bytes, changed in place.</returns>
    /// <exception cref="BadImageFormatException">It is no such library, or needs more of that version.</exception>
    public static byte[] Adapt(byte[] library)
    {
        if (library.Length < 64 || !library.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8))
        {
            throw new BadImageFormatException("is no ELF file of 64 bits");
        }

        try
        {
            new Image(library).Adapt();
            return library;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new BadImageFormatException("is cut off", e);
        }
    }

    private readonly ref struct Image(byte[] library)
    {
        private readonly Span<byte> bytes = library;

        public void Adapt()
        {
            var names = Section(".dynstr");
            var old = FindVersion(names, Version);
            var other = FindVersion(names, OtherVersion);
            var user = TheOnlyUser(Short(old[IndexAt..]));
            var name = names[Int(Section(".dynsym")[(user * SymbolLength)..])..];
            if (Text(name) != Symbol)
            {
                throw new BadImageFormatException($"needs {Text(name)} of {Version}");
            }

            name[..Symbol.Length].Clear();
            Encoding.ASCII.GetBytes(OtherSymbol, name);
            BinaryPrimitives.WriteUInt16LittleEndian(Section(".gnu.version")[(2 * user)..], Short(other[IndexAt..]));
            BinaryPrimitives.WriteUInt16LittleEndian(old[FlagsAt..], Weak);
        }

        private int TheOnlyUser(ushort version)
        {
            ReadOnlySpan<ushort> versions = MemoryMarshal.Cast<byte, ushort>(Section(".gnu.version"));
            var user = versions.IndexOf(version);
            return user >= 0 && versions[(user + 1)..].IndexOf(version) < 0 ? user : throw new BadImageFormatException($"needs more of {Version} than its streams");
        }

        // The entry of a version among those that each needed library is asked for.
        private Span<byte> FindVersion(Span<byte> names, string version)
        {
            for (var need = Section(".gnu.version_r"); ; need = need[Int(need[NextAt..])..])
            {
                for (var entry = need[Int(need[AuxAt..])..]; ; entry = entry[Int(entry[NextAuxAt..])..])
                {
                    if (Text(names[Int(entry[NameAt..])..]) == version)
                    {
                        return entry;
                    }

                    if (Int(entry[NextAuxAt..]) == 0)
                    {
                        break;
                    }
                }

                if (Int(need[NextAt..]) == 0)
                {
                    throw new BadImageFormatException($"does not ask for {version}");
                }
            }
        }

        private Span<byte> Section(string name)
        {
            var (table, size, count) = (Long(bytes[SectionTableAt..]), Short(bytes[SectionSizeAt..]), Short(bytes[SectionCountAt..]));
            var names = Content(bytes[(table + size * Short(bytes[SectionNamesAt..]))..]);
            for (var i = 0; i < count; i++)
            {
                var header = bytes[(table + size * i)..];
                if (Text(names[Int(header)..]) == name)
                {
                    return Content(header);
                }
            }

            throw new BadImageFormatException($"has no section {name}");
        }

        private Span<byte> Content(Span<byte> header) => bytes.Slice(Long(header[0x18..]), Long(header[0x20..]));

        private static string Text(Span<byte> at) => Encoding.ASCII.GetString(at[..at.IndexOf((byte)0)]);

        private static ushort Short(Span<byte> at) => BinaryPrimitives.ReadUInt16LittleEndian(at);

        private static int Int(Span<byte> at) => checked((int)BinaryPrimitives.ReadUInt32LittleEndian(at));

        private static int Long(Span<byte> at) => checked((int)BinaryPrimitives.ReadUInt64LittleEndian(at));
    }
}
