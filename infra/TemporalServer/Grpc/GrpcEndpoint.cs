using Microsoft.AspNetCore.Http;

namespace TemporalServer.Grpc;

/// <summary>Answers unary gRPC calls on HTTP/2.</summary>
/// <param name="acceptCompression">False answers compressed requests as servers without gzip do.</param>
internal sealed class GrpcEndpoint(RpcCalls calls, bool acceptCompression)
{
    public const string ContentType = "application/grpc";

    public async Task HandleAsync(HttpContext http)
    {
        HttpResponse response = http.Response;
        response.ContentType = ContentType;
        if (!response.SupportsTrailers())
        {
            response.StatusCode = StatusCodes.Status505HttpVersionNotsupported;
            return;
        }

        try
        {
            byte[] frame = await CallAsync(http);
            await response.Body.WriteAsync(frame, http.RequestAborted);
            GrpcStatus.WriteOk(response);
        }
        catch (Exception e)
        {
            if (calls.Explain(e, http) is { } error)
            {
                GrpcStatus.Write(response, error);
            }
        }
    }

    private async Task<byte[]> CallAsync(HttpContext http)
    {
        HttpRequest request = http.Request;
        RpcMethod rpc = calls.Rpcs.Find(request.Path.Value ?? "");
        string? encoding = request.Headers["grpc-encoding"];
        if (!acceptCompression && encoding is not null and not "identity")
        {
            throw new RpcError(StatusCode.Unimplemented, $"grpc: Decompressor is not installed for grpc-encoding \"{encoding}\"");
        }

        return GrpcFrames.Write(await calls.CallAsync(
            rpc, http,
            async cancelled => rpc.Parse(await GrpcFrames.ReadAsync(request.Body, encoding, RpcCalls.LargestMessage, cancelled)),
            request.Headers["grpc-timeout"]));
    }
}
