using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Temporalio.Exceptions;

namespace Temporalio.Client.Grpc;

/// <summary>The status at the end of an answer, as trailers or, where there is no message, as headers.</summary>
internal static class GrpcStatus
{
    /// <exception cref="RpcException">The call failed.</exception>
    public static void ThrowIfFailed(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new RpcException(FromHttp(response.StatusCode), $"The server answered HTTP {(int)response.StatusCode}", rawStatus: null);
        }
        var status = Find(response, "grpc-status") ?? throw new IOException("The answer ended without a status");
        var code = (RpcException.StatusCode)int.Parse(status, CultureInfo.InvariantCulture);
        if (code != RpcException.StatusCode.OK)
        {
            var details = Find(response, "grpc-status-details-bin");
            throw new RpcException(
                code,
                Uri.UnescapeDataString(Find(response, "grpc-message") ?? code.ToString()),
                details is null ? null : FromBase64(details));
        }
    }

    private static string? Find(HttpResponseMessage response, string name) => Find(response.TrailingHeaders, name) ?? Find(response.Headers, name);

    private static string? Find(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out var values) ? values.First() : null;

    // gRPC leaves the padding off.
    private static byte[] FromBase64(string text) => Convert.FromBase64String(text.TrimEnd('=').PadRight((text.TrimEnd('=').Length + 3) / 4 * 4, '='));

    private static RpcException.StatusCode FromHttp(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => RpcException.StatusCode.Internal,
        HttpStatusCode.Unauthorized => RpcException.StatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => RpcException.StatusCode.PermissionDenied,
        HttpStatusCode.NotFound => RpcException.StatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout =>
            RpcException.StatusCode.Unavailable,
        _ => RpcException.StatusCode.Unknown,
    };
}
