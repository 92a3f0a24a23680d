using Google.Protobuf;
using Temporalio.Api.ErrorDetails.V1;

namespace TemporalServer;

/// <summary>gRPC status codes that this server gives.</summary>
internal enum StatusCode
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

/// <summary>The answer to a call is an error: a status, a text and perhaps one of Temporal's error details.</summary>
internal sealed class RpcError(StatusCode status, string message, IMessage? detail = null) : Exception(message)
{
    public StatusCode Status { get; } = status;

    public IMessage? Detail { get; } = detail;

    public static RpcError NotFound(string message) => new(StatusCode.NotFound, message, new NotFoundFailure());

    public static RpcError InvalidArgument(string message) => new(StatusCode.InvalidArgument, message);

    public static RpcError Unavailable(string message) => new(StatusCode.Unavailable, message);
}
