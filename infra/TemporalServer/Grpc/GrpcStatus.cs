using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http;

namespace TemporalServer.Grpc;

/// <summary>Writes how a call ended into its trailers.</summary>
internal static class GrpcStatus
{
    // HTTP/2 header fields: what peers accept at least.
    private const int LongestMessage = 4 * 1024;

    public static void WriteOk(HttpResponse response) => response.AppendTrailer("grpc-status", "0");

    public static void Write(HttpResponse response, RpcError error)
    {
        string message = error.Message.Length > LongestMessage ? error.Message[..LongestMessage] : error.Message;
        response.AppendTrailer("grpc-status", ((int)error.Status).ToString(CultureInfo.InvariantCulture));
        response.AppendTrailer("grpc-message", PercentEncode(message));
        if (error.Detail is { } detail)
        {
            var status = new Google.Rpc.Status { Code = (int)error.Status, Message = message };
            status.Details.Add(Any.Pack(detail));
            response.AppendTrailer("grpc-status-details-bin", Convert.ToBase64String(status.ToByteArray()).TrimEnd('='));
        }
    }

    private static string PercentEncode(string text)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (byte b in Encoding.UTF8.GetBytes(text))
        {
            if (b is >= 0x20 and <= 0x7e && b != '%')
            {
                encoded.Append((char)b);
            }
            else
            {
                encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
            }
        }

        return encoded.ToString();
    }
}
