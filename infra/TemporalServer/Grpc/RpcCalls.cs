using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace TemporalServer.Grpc;

/// <summary>Runs a call, however it came in: who may call, what every request must fulfil, and what an exception means to the caller.</summary>
/// <param name="stopping">Ends calls in flight, long polls among them.</param>
internal sealed partial class RpcCalls(RpcTable rpcs, RequestGate gate, ApiKeyCheck apiKey, TimeProvider clock, ILogger logger, CancellationToken stopping)
{
    /// <summary>Largest request or answer.</summary>
    public const int LargestMessage = 4 * 1024 * 1024;

    public RpcTable Rpcs => rpcs;

    /// <param name="read">Reads the request; called only for callers that may call.</param>
    /// <param name="grpcTimeout">How long the caller waits, as the header of that name says it; null for as long as a long poll may take.</param>
    /// <exception cref="RpcError">The answer is an error.</exception>
    public async Task<IMessage> CallAsync(RpcMethod rpc, HttpContext http, Func<CancellationToken, Task<IMessage>> read, string? grpcTimeout = null)
    {
        apiKey.Check(http.Request);
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        IMessage request = await read(cancelled.Token);
        gate.Check(rpc, request);
        return await rpc.Handler(request, CallContext.From(grpcTimeout, clock.GetUtcNow(), cancelled.Token));
    }

    /// <summary>What to tell the caller about an exception, or null where the caller is gone.</summary>
    public RpcError? Explain(Exception exception, HttpContext http)
    {
        if (http.RequestAborted.IsCancellationRequested)
        {
            return null;
        }

        RpcError error = exception switch
        {
            RpcError e => e,
            OperationCanceledException when stopping.IsCancellationRequested => RpcError.Unavailable("The server is shutting down."),
            InvalidProtocolBufferException e => RpcError.InvalidArgument(e.Message),
            NpgsqlException => RpcError.Unavailable("The database did not answer."),
            _ => new RpcError(StatusCode.Internal, $"{exception.GetType().Name}: {exception.Message}"),
        };
        if (error.Status == StatusCode.Internal)
        {
            LogFailed(logger, exception, http.Request.Path);
        }
        else
        {
            LogRefused(logger, http.Request.Path, error.Status, exception.Message);
        }

        return error;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Path}: {Status} {Text}")]
    private static partial void LogRefused(ILogger logger, string path, StatusCode status, string text);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string path);
}
