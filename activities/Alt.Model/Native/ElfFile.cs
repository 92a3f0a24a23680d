using System.Buffers.Binary;
using System.Text;

namespace Alt.Model.Native;

/// <summary>A shared library in the format ELF, 64 bits, little-endian.</summary>
internal sealed class ElfFile
{
    private const int HeaderLength = 64, SectionTableAt = 0x28, SectionLengthAt = 0x3A, SectionCountAt = 0x3C, SectionNamesAt = 0x3E;
    private const int SectionOffsetAt = 0x18, SectionSizeAt = 0x20;

    private static ReadOnlySpan<byte> Magic => "\u007fELF\u0002\u0001"u8;

    /// <exception cref="BadImageFormatException">It is no such file, or is cut off.</exception>
    public ElfFile(byte[] bytes)
    {
        Bytes = bytes;
        RequireWhole(bytes, bytes.Length, "the library");
    }

    public byte[] Bytes { get; }

    /// <exception cref="BadImageFormatException">It is no such file, or is cut off: the dynamic loader would end the process.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static void RequireWhole(string path)
    {
        using var file = File.OpenHandle(path);
        var header = new byte[HeaderLength];
        var read = RandomAccess.Read(file, header, 0);
        RequireWhole(header.AsSpan(0, read), RandomAccess.GetLength(file), path);
    }

    /// <exception cref="BadImageFormatException">There is no section of that name, or it lies outside of the file.</exception>
    public Span<byte> Section(string name)
    {
        try
        {
            var names = Content(Header(Short(Bytes, SectionNamesAt)));
            for (var i = 0; i < Short(Bytes, SectionCountAt); i++)
            {
                if (Text(names[Int(Header(i), 0)..]) == name)
                {
                    return Content(Header(i));
                }
            }
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new BadImageFormatException("the library's sections lie outside of it", e);
        }

        throw new BadImageFormatException($"the library has no section {name}");
    }

    public static string Text(ReadOnlySpan<byte> at) => Encoding.ASCII.GetString(at[..at.IndexOf((byte)0)]);

    public static ushort Short(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    public static int Int(ReadOnlySpan<byte> bytes, int at) => checked((int)BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]));

    // The section headers are its last part.
    private static void RequireWhole(ReadOnlySpan<byte> header, long length, string name)
    {
        if (header.Length < HeaderLength || !header.StartsWith(Magic))
        {
            throw new BadImageFormatException($"{name} is no shared library of 64 bits");
        }

        var needed = BinaryPrimitives.ReadInt64LittleEndian(header[SectionTableAt..])
            + Short(header, SectionLengthAt) * (long)Short(header, SectionCountAt);
        if (needed < 0 || length < needed)
        {
            throw new BadImageFormatException($"{name} is cut off: it has {length} of at least {needed} bytes");
        }
    }

    private ReadOnlySpan<byte> Header(int index) => Bytes.AsSpan(Long(Bytes, SectionTableAt) + Short(Bytes, SectionLengthAt) * index);

    private Span<byte> Content(ReadOnlySpan<byte> header) => Bytes.AsSpan(Long(header, SectionOffsetAt), Long(header, SectionSizeAt));

    private static int Long(ReadOnlySpan<byte> bytes, int at) => checked((int)BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]));
}
