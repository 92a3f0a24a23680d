using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace TemporalServer.Serving;

/// <summary>Wraps every call, gRPC or JSON: checks its request, and turns an exception into the caller's error.</summary>
/// <param name="stopping">Cancelled when the server stops.</param>
internal sealed partial class CallInterceptor(RequestGate gate, ILogger logger, CancellationToken stopping) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            gate.Check(context.Method, (IMessage)request);
            return await continuation(request, context);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw Explain(e, context);
        }
    }

    private RpcError Explain(Exception exception, ServerCallContext context)
    {
        switch (exception)
        {
            case OperationCanceledException when context.CancellationToken.IsCancellationRequested:
                return new RpcError(StatusCode.Cancelled, "The caller is gone.");
            case OperationCanceledException when stopping.IsCancellationRequested:
                return RpcError.Unavailable("The server is shutting down.");
            case NpgsqlException:
                return RpcError.Unavailable("The database did not answer.");
            default:
                LogFailed(logger, exception, context.Method);
                return new RpcError(StatusCode.Internal, $"{exception.GetType().Name}: {exception.Message}");
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string method);
}
