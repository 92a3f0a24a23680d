using System.Buffers.Binary;
using System.Text;
using Alt.Domain;

namespace Alt.Model.Checkpoints;

/// <summary>
/// Where the entries of a zip archive stand in its file (PKWARE's APPNOTE, 4.3). Only archives of entries that are stored as they are,
/// which can be read from any byte on; <see cref="System.IO.Compression.ZipArchive"/> reads an entry from its start only.
/// </summary>
internal static class ZipDirectory
{
    private const uint EndSignature = 0x06054b50, Zip64EndSignature = 0x06064b50, Zip64LocatorSignature = 0x07064b50,
        EntrySignature = 0x02014b50, LocalSignature = 0x04034b50;
    private const int EndLength = 22, Zip64EndLength = 56, Zip64LocatorLength = 20, EntryLength = 46, LocalLength = 30;
    private const int Zip64Field = 1;
    private const uint InZip64Field = 0xffffffff;
    private const long LargestDirectory = 1 << 26;

    /// <summary>The entries by name.</summary>
    /// <exception cref="FormatException">The file is no zip archive, or one that holds more than plain entries.</exception>
    public static Dictionary<string, Entry> Read(Stream stream)
    {
        var (start, length) = FindDirectory(stream);
        var directory = BytesAt(stream, start, length, LargestDirectory);
        var entries = new Dictionary<string, Entry>(StringComparer.Ordinal);
        for (var at = 0; at < directory.Length;)
        {
            var header = Slice(directory, at, EntryLength);
            Require(U32(header) == EntrySignature, "its directory is damaged");
            var (flags, method) = (U16(header[8..]), U16(header[10..]));
            var (nameLength, extraLength, commentLength) = (U16(header[28..]), U16(header[30..]), U16(header[32..]));
            var name = Encoding.UTF8.GetString(Slice(directory, at + EntryLength, nameLength));
            Require(
                (flags & 1) == 0 && method == 0,
                $"its entry {InputException.Quote(name)} is compressed or encrypted, expected one that is stored as "
                + "it is, as torch.save does");
            var place = Place(header, Slice(directory, at + EntryLength + nameLength, extraLength));
            Require(place.Length == place.Compressed, $"its entry {InputException.Quote(name)} has two lengths");
            Require(
                entries.TryAdd(name, new Entry(DataStart(stream, place.Header, place.Length, start, name), place.Length)),
                $"it has two entries {InputException.Quote(name)}");
            at += EntryLength + nameLength + extraLength + commentLength;
        }

        return entries;
    }

    public static byte[] BytesOf(Stream stream, Entry entry, long most) => BytesAt(stream, entry.Start, entry.Length, most);

    private static (long Start, long Length) FindDirectory(Stream stream)
    {
        var length = (int)Math.Min(stream.Length, EndLength + ushort.MaxValue + Zip64LocatorLength);
        var tailStart = stream.Length - length;
        var tail = BytesAt(stream, tailStart, length, length);
        for (var at = tail.Length - EndLength; at >= 0; at--)
        {
            var end = tail.AsSpan(at);
            if (U32(end) == EndSignature && U16(end[20..]) == end.Length - EndLength)
            {
                return at >= Zip64LocatorLength && U32(tail.AsSpan(at - Zip64LocatorLength)) == Zip64LocatorSignature
                    ? Zip64Directory(stream, I64(tail.AsSpan(at - Zip64LocatorLength + 8)))
                    : Inside(stream, U32(end[16..]), U32(end[12..]));
            }
        }

        throw new FormatException("it is no zip archive, or its end is missing");
    }

    private static (long Start, long Length) Zip64Directory(Stream stream, long at)
    {
        var end = BytesAt(stream, at, Zip64EndLength, Zip64EndLength).AsSpan();
        Require(U32(end) == Zip64EndSignature, "its end is damaged");
        return Inside(stream, I64(end[48..]), I64(end[40..]));
    }

    // Lengths and the place that do not fit into 32 bits stand in an extra field, in this order.
    private static (long Length, long Compressed, long Header) Place(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> extra)
    {
        var wide = ReadOnlySpan<byte>.Empty;
        while (extra.Length >= 4)
        {
            var (id, size) = (U16(extra), U16(extra[2..]));
            var field = Slice(extra, 4, size);
            wide = id == Zip64Field ? field : wide;
            extra = extra[(4 + size)..];
        }

        var length = Wide(U32(entry[24..]), ref wide);
        var compressed = Wide(U32(entry[20..]), ref wide);
        return (length, compressed, Wide(U32(entry[42..]), ref wide));

        static long Wide(uint narrow, ref ReadOnlySpan<byte> wide)
        {
            if (narrow != InZip64Field)
            {
                return narrow;
            }

            var value = I64(Slice(wide, 0, 8));
            wide = wide[8..];
            return value;
        }
    }

    private static long DataStart(Stream stream, long header, long length, long directory, string name)
    {
        var local = BytesAt(stream, header, LocalLength, LocalLength).AsSpan();
        Require(U32(local) == LocalSignature, $"its entry {InputException.Quote(name)} is not where the directory says");
        var start = header + LocalLength + U16(local[26..]) + U16(local[28..]);
        Require(length >= 0 && length <= directory - start, $"its entry {InputException.Quote(name)} ends after the file's data");
        return start;
    }

    private static byte[] BytesAt(Stream stream, long start, long length, long most)
    {
        Inside(stream, start, length);
        Require(length <= most, $"it takes {length} bytes to say what is in it, expected at most {most}");
        var bytes = new byte[length];
        stream.Position = start;
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static (long Start, long Length) Inside(Stream stream, long start, long length)
    {
        Require(
            start >= 0 && length >= 0 && start <= stream.Length && length <= stream.Length - start,
            "it is cut off or damaged: it points outside itself");
        return (start, length);
    }

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> bytes, int start, int length)
    {
        Require(length <= bytes.Length - start, "its directory is cut off");
        return bytes.Slice(start, length);
    }

    private static ushort U16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static uint U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static long I64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes);

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new FormatException(otherwise);
        }
    }

    /// <summary>One entry.</summary>
    /// <param name="Start">The file's byte at which its data starts.</param>
    public readonly record struct Entry(long Start, long Length);
}
