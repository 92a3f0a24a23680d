using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Temporalio.Api.ErrorDetails.V1;

namespace TemporalServer;

/// <summary>The answer to a call is an error: a status, a text and perhaps one of Temporal's error details.</summary>
internal sealed class RpcError(StatusCode status, string message, IMessage? detail = null)
    : RpcException(new Status(status, Shortened(message)), Details(status, message, detail))
{
    // Every peer accepts header fields of at least this many bytes.
    private const int LongestMessage = 4 * 1024;

    public IMessage? Detail { get; } = detail;

    public override string Message => Status.Detail;

    public static RpcError NotFound(string message) => new(StatusCode.NotFound, message, new NotFoundFailure());

    public static RpcError InvalidArgument(string message) => new(StatusCode.InvalidArgument, message);

    public static RpcError Unavailable(string message) => new(StatusCode.Unavailable, message);

    private static string Shortened(string message) => message.Length > LongestMessage ? message[..LongestMessage] : message;

    private static Metadata Details(StatusCode code, string message, IMessage? detail)
    {
        if (detail is null)
        {
            return Metadata.Empty;
        }

        var status = new Google.Rpc.Status { Code = (int)code, Message = Shortened(message), Details = { Any.Pack(detail) } };
        return new() { { "grpc-status-details-bin", status.ToByteArray() } };
    }
}
