namespace Temporalio.Exceptions;

/// <summary>A call to the server failed.</summary>
public class RpcException : TemporalException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="code">Status of the call.</param>
    /// <param name="message">Message of the server, or of the transport where the server was not reached.</param>
    /// <param name="rawStatus">A serialised <c>google.rpc.Status</c> with the details, if the server sent one.</param>
    public RpcException(StatusCode code, string message, byte[]? rawStatus)
        : base(message)
    {
        Code = code;
        RawStatus = rawStatus;
    }

    internal RpcException(StatusCode code, string message, Exception inner)
        : base(message, inner) => Code = code;

    /// <summary>gRPC status codes.</summary>
    public enum StatusCode
    {
        /// <summary>Success.</summary>
        OK = 0,

        /// <summary>The caller cancelled the call.</summary>
        Cancelled = 1,

        /// <summary>Unknown error.</summary>
        Unknown = 2,

        /// <summary>The request is wrong.</summary>
        InvalidArgument = 3,

        /// <summary>The deadline passed.</summary>
        DeadlineExceeded = 4,

        /// <summary>There is no such thing.</summary>
        NotFound = 5,

        /// <summary>It exists already.</summary>
        AlreadyExists = 6,

        /// <summary>The caller may not do this.</summary>
        PermissionDenied = 7,

        /// <summary>Something is used up.</summary>
        ResourceExhausted = 8,

        /// <summary>The state does not allow it.</summary>
        FailedPrecondition = 9,

        /// <summary>Aborted, usually by a concurrent change.</summary>
        Aborted = 10,

        /// <summary>Out of range.</summary>
        OutOfRange = 11,

        /// <summary>The server does not know the method.</summary>
        Unimplemented = 12,

        /// <summary>The server failed.</summary>
        Internal = 13,

        /// <summary>The server cannot be reached or is not ready.</summary>
        Unavailable = 14,

        /// <summary>Data is lost.</summary>
        DataLoss = 15,

        /// <summary>The caller did not say who it is.</summary>
        Unauthenticated = 16,
    }

    /// <summary>Status of the call.</summary>
    public StatusCode Code { get; protected init; }

    /// <summary>A serialised <c>google.rpc.Status</c> with the details.</summary>
    internal byte[]? RawStatus { get; }
}
