using System.Buffers.Binary;
using System.IO.Compression;
using System.Net.Http.Headers;
using Google.Protobuf;
using Temporalio.Exceptions;

namespace Temporalio.Client.Grpc;

/// <summary>gRPC's framing: one byte that says whether the message is compressed, four of length, the message.</summary>
internal static class GrpcFrame
{
    private const int PrefixLength = 5;

    public static byte[] Write(IMessage message)
    {
        var length = message.CalculateSize();
        var frame = new byte[PrefixLength + length];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)length);
        message.WriteTo(frame.AsSpan(PrefixLength));
        return frame;
    }

    /// <exception cref="IOException">The answer was cut off.</exception>
    public static byte[] Read(byte[] body, HttpResponseHeaders headers)
    {
        if (body.Length < PrefixLength)
        {
            throw new IOException("The answer holds no message");
        }
        var length = BinaryPrimitives.ReadUInt32BigEndian(body.AsSpan(1));
        if (body.Length - PrefixLength < length)
        {
            throw new IOException("The answer was cut off");
        }
        return body[0] == 0 ? body.AsSpan(PrefixLength, (int)length).ToArray() : Inflate(body, (int)length, headers);
    }

    private static byte[] Inflate(byte[] body, int length, HttpResponseHeaders headers)
    {
        var encoding = headers.TryGetValues("grpc-encoding", out var values) ? values.First() : "";
        if (encoding != "gzip")
        {
            throw new RpcException(RpcException.StatusCode.Internal, $"The answer is compressed with '{encoding}', which was not offered", rawStatus: null);
        }
        using var source = new GZipStream(new MemoryStream(body, PrefixLength, length), CompressionMode.Decompress);
        using var target = new MemoryStream();
        source.CopyTo(target);
        return target.ToArray();
    }
}
