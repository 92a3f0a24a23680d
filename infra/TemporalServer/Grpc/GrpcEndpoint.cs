using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace TemporalServer.Grpc;

/// <summary>Answers unary gRPC calls on HTTP/2.</summary>
/// <param name="acceptCompression">False answers compressed requests as servers without gzip do.</param>
/// <param name="stopping">Ends calls in flight, long polls among them.</param>
internal sealed partial class GrpcEndpoint(
    RpcTable rpcs, RequestGate gate, bool acceptCompression, TimeProvider clock, ILogger logger, CancellationToken stopping)
{
    private const int LargestMessage = 4 * 1024 * 1024;

    public async Task HandleAsync(HttpContext http)
    {
        HttpResponse response = http.Response;
        response.ContentType = "application/grpc";
        if (!response.SupportsTrailers())
        {
            response.StatusCode = StatusCodes.Status505HttpVersionNotsupported;
            return;
        }

        try
        {
            byte[] frame = GrpcFrames.Write(await CallAsync(http));
            await response.Body.WriteAsync(frame, http.RequestAborted);
            GrpcStatus.WriteOk(response);
        }
        catch (RpcError error)
        {
            LogRefused(logger, http.Request.Path, error.Status, error.Message);
            GrpcStatus.Write(response, error);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone: there is nobody to tell.
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            GrpcStatus.Write(response, RpcError.Unavailable("The server is shutting down."));
        }
        catch (InvalidProtocolBufferException e)
        {
            GrpcStatus.Write(response, RpcError.InvalidArgument(e.Message));
        }
        catch (NpgsqlException e)
        {
            LogRefused(logger, http.Request.Path, StatusCode.Unavailable, e.Message);
            GrpcStatus.Write(response, RpcError.Unavailable("The database did not answer."));
        }
        catch (Exception e)
        {
            LogFailed(logger, e, http.Request.Path);
            GrpcStatus.Write(response, new RpcError(StatusCode.Internal, $"{e.GetType().Name}: {e.Message}"));
        }
    }

    private async Task<IMessage> CallAsync(HttpContext http)
    {
        HttpRequest request = http.Request;
        string path = request.Path.Value ?? "";
        Rpc rpc = rpcs.Find(path);
        string? encoding = request.Headers["grpc-encoding"];
        if (!acceptCompression && encoding is not null and not "identity")
        {
            throw new RpcError(StatusCode.Unimplemented, $"grpc: Decompressor is not installed for grpc-encoding \"{encoding}\"");
        }

        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        byte[] bytes = await GrpcFrames.ReadAsync(request.Body, encoding, LargestMessage, cancelled.Token);
        IMessage message = rpc.Parse(bytes);
        gate.Check(rpc, message);
        return await rpc.Handler(message, CallContext.From(request.Headers["grpc-timeout"], clock.GetUtcNow(), cancelled.Token));
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Path}: {Status} {Text}")]
    private static partial void LogRefused(ILogger logger, string path, StatusCode status, string text);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string path);
}
