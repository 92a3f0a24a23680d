using System.Net;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace TemporalServer.Serving;

/// <summary>
/// What Temporal's HTTP API requires beyond JSON transcoding. Web pages of other origins can read nothing (there are no CORS headers) and
/// change nothing, and a loopback address answers only to its own names, whatever name a page's own server gives it.
/// </summary>
internal static class JsonApi
{
    // Stands for a slash inside a segment while routing cuts the path at slashes; no readable id contains it.
    private const char Slash = '\uE000';

    /// <summary>JSON as protobuf defines it; an answer has every field, empty or not.</summary>
    public static void Configure(GrpcJsonTranscodingOptions options)
    {
        options.JsonSettings.WriteInt64sAsStrings = true;
        // Error details travel as Any; so do update protocol messages.
        options.TypeRegistry = TypeRegistry.FromFiles(
            Temporalio.Api.WorkflowService.V1.ServiceReflection.Descriptor, Temporalio.Api.OperatorService.V1.ServiceReflection.Descriptor,
            Temporalio.Api.ErrorDetails.V1.MessageReflection.Descriptor, Temporalio.Api.Failure.V1.MessageReflection.Descriptor,
            Temporalio.Api.Update.V1.MessageReflection.Descriptor);
    }

    /// <summary>Checks a request, and converts it to one that JSON transcoding can read.</summary>
    /// <exception cref="RpcError">PERMISSION_DENIED.</exception>
    public static void Prepare(HttpContext http)
    {
        EnsureOwnName(http);
        EnsureOwnOrigin(http.Request);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = CallGate.LargestMessage;
        }

        // Temporal's other gateways accept any content type for JSON, and read an empty body as an empty object.
        http.Request.ContentType = "application/json";
        if (http.Request.ContentLength is null or 0 && http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != true)
        {
            http.Request.Body = new MemoryStream("{}"u8.ToArray());
        }

        // An id may hold a slash. Kestrel unescapes all but %2F, so that %2F and %252F (an escaped percent sign) would look the same.
        var path = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        if (path.Contains("%2F", StringComparison.OrdinalIgnoreCase))
        {
            http.Request.Path = Uri.UnescapeDataString(path.Replace("%2F", Slash.ToString(), StringComparison.OrdinalIgnoreCase));
        }
    }

    /// <summary>After routing: restores the slashes that <see cref="Prepare"/> hid from it.</summary>
    public static Task RestoreSlashesAsync(HttpContext http, RequestDelegate next)
    {
        foreach ((var name, var value) in http.Request.RouteValues)
        {
            http.Request.RouteValues[name] = (value as string)?.Replace(Slash, '/') ?? value;
        }

        return next(http);
    }

    private static void EnsureOwnName(HttpContext http)
    {
        var name = http.Request.Host.Host.Trim('[', ']');
        var isLoopback = http.Connection.LocalIpAddress is { } local && IPAddress.IsLoopback(local);
        if (isLoopback && name != "localhost" && !IPAddress.TryParse(name, out _))
        {
            throw new RpcError(StatusCode.PermissionDenied, $"This address does not answer for {name}.");
        }
    }

    // Browsers send the origin with everything but plain reads; other clients send none.
    private static void EnsureOwnOrigin(HttpRequest request)
    {
        if (request.Headers.Origin.ToString() is { Length: > 0 } origin && origin != $"{request.Scheme}://{request.Host}")
        {
            throw new RpcError(StatusCode.PermissionDenied, $"Pages of {origin} may not use this server.");
        }
    }
}
