using System.Buffers.Binary;
using System.IO.Compression;
using Google.Protobuf;

namespace TemporalServer.Grpc;

/// <summary>gRPC's message framing: one flag byte (1 = compressed), a big-endian length, the message.</summary>
internal static class GrpcFrames
{
    private const int PrefixLength = 5;

    /// <summary>Reads the single message of a unary call.</summary>
    /// <param name="encoding">The call's <c>grpc-encoding</c>.</param>
    /// <param name="limit">Bytes that a message may have at most, after inflating.</param>
    public static async Task<byte[]> ReadAsync(Stream body, string? encoding, int limit, CancellationToken cancellation)
    {
        var prefix = new byte[PrefixLength];
        await body.ReadExactlyAsync(prefix, cancellation);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1));
        if (length > limit)
        {
            throw TooLarge(length, limit);
        }

        var message = new byte[length];
        await body.ReadExactlyAsync(message, cancellation);
        return prefix[0] == 0 ? message : Inflate(message, encoding, limit);
    }

    public static byte[] Write(IMessage message)
    {
        int length = message.CalculateSize();
        var frame = new byte[PrefixLength + length];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)length);
        message.WriteTo(frame.AsSpan(PrefixLength));
        return frame;
    }

    private static byte[] Inflate(byte[] message, string? encoding, int limit)
    {
        if (encoding != "gzip")
        {
            throw new RpcError(StatusCode.Unimplemented, $"grpc: Decompressor is not installed for grpc-encoding \"{encoding}\"");
        }

        using var gzip = new GZipStream(new MemoryStream(message), CompressionMode.Decompress);
        using var inflated = new MemoryStream();
        var chunk = new byte[16 * 1024];
        for (int read; (read = gzip.Read(chunk)) > 0;)
        {
            inflated.Write(chunk, 0, read);
            if (inflated.Length > limit)
            {
                throw TooLarge(inflated.Length, limit);
            }
        }

        return inflated.ToArray();
    }

    private static RpcError TooLarge(long length, int limit) =>
        new(StatusCode.ResourceExhausted, $"grpc: received message larger than max ({length} vs. {limit})");
}
