using System.Buffers.Binary;

namespace Marten.Sessions;

/// <summary>
/// Guids that sort by the millisecond they were made in, which keeps the index that they fill compact:
/// 48 bits of Unix time, then the random bits of a version 4 Guid.
/// </summary>
internal static class CombGuid
{
    public static Guid New() => New(DateTimeOffset.UtcNow);

    public static Guid New(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.NewGuid().TryWriteBytes(bytes, bigEndian: true, out _);
        Span<byte> milliseconds = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(milliseconds, time.ToUnixTimeMilliseconds());
        milliseconds[2..].CopyTo(bytes);
        return new Guid(bytes, bigEndian: true);
    }
}
