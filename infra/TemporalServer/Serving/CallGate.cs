using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace TemporalServer.Serving;

/// <summary>Runs before the packages' bindings: checks who may call, and words refusals as official clients expect.</summary>
/// <param name="acceptCompression">False answers compressed requests as servers without gzip do.</param>
internal sealed class CallGate(ApiKeyCheck apiKey, bool acceptCompression)
{
    /// <summary>Bytes of the largest request.</summary>
    public const int LargestMessage = 4 * 1024 * 1024;

    private const string GrpcType = "application/grpc";

    // Grpc.AspNetCore's wording, and the wording by which official workers know that a retry cannot succeed.
    private const string PackagesTooLarge = "Received message exceeds the maximum configured message size.";
    private static readonly string TooLarge =
        string.Create(CultureInfo.InvariantCulture, $"grpc: received message larger than max ({LargestMessage})");

    public async Task HandleAsync(HttpContext http, RequestDelegate next)
    {
        try
        {
            if (IsGrpc(http))
            {
                EnsureReadable(http.Request);
            }
            else
            {
                JsonApi.Prepare(http);
            }

            apiKey.Check(http.Request);
        }
        catch (RpcError e)
        {
            await RefuseAsync(http, e);
            return;
        }

        await next(http);
        if (http.Response is { HasStarted: false, Headers: var headers } && headers.GrpcMessage == PackagesTooLarge)
        {
            headers.GrpcMessage = TooLarge;
        }
    }

    /// <summary>Answers a call that has no handler.</summary>
    public Task RefuseUnknownAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "";
        if (!IsGrpc(http))
        {
            return RefuseAsync(http, new RpcError(StatusCode.NotFound, $"There is no {http.Request.Method} {path}."));
        }

        return RefuseAsync(http, new RpcError(
            StatusCode.Unimplemented,
            path.Split('/') is ["", var service, var method] && RpcBinding.Services.Contains(service)
                ? $"unknown method {method} for service {service}"
                : $"unknown service {path.Split('/').ElementAtOrDefault(1)}"));
    }

    // gRPC's port speaks HTTP/2 only and the JSON API's HTTP/1.1 only.
    private static bool IsGrpc(HttpContext http) => HttpProtocol.IsHttp2(http.Request.Protocol);

    private void EnsureReadable(HttpRequest request)
    {
        if (request.ContentType?.StartsWith(GrpcType, StringComparison.OrdinalIgnoreCase) != true)
        {
            throw new RpcError(StatusCode.Internal, $"This port takes {GrpcType} only.");
        }

        if (!acceptCompression && request.Headers.GrpcEncoding.ToString() is { Length: > 0 } encoding && encoding != "identity")
        {
            throw new RpcError(StatusCode.Unimplemented, $"grpc: Decompressor is not installed for grpc-encoding \"{encoding}\"");
        }
    }

    private static async Task RefuseAsync(HttpContext http, RpcError error)
    {
        var response = http.Response;
        if (IsGrpc(http))
        {
            response.ContentType = GrpcType;
            response.Headers.GrpcStatus = ((int)error.StatusCode).ToString(CultureInfo.InvariantCulture);
            response.Headers.GrpcMessage = Uri.EscapeDataString(error.Message);
            return;
        }

        response.StatusCode = error.StatusCode == StatusCode.NotFound ? StatusCodes.Status404NotFound : StatusCodes.Status403Forbidden;
        response.ContentType = "application/json";
        var status = new Google.Rpc.Status { Code = (int)error.StatusCode, Message = error.Message };
        await response.WriteAsync(JsonFormatter.Default.Format(status));
    }
}
